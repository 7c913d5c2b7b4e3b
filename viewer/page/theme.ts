/** Light, dark, or as the system says. */
import { useEffect, useState } from 'preact/hooks';

export type Theme = 'system' | 'light' | 'dark';

const KEY = 'o11y-kit-theme';
const CHANGED = 'themechange';
const NEXT: Record<Theme, Theme> = { system: 'light', light: 'dark', dark: 'system' };

export function currentTheme(): Theme {
  try {
    const saved = localStorage.getItem(KEY);
    return saved === 'light' || saved === 'dark' ? saved : 'system';
  } catch {
    return 'system'; // Storage is refused in some private windows.
  }
}

/** To be called before the first paint. */
export function applyTheme(theme = currentTheme()): void {
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  window.dispatchEvent(new Event(CHANGED));
}

export function nextTheme(): void {
  const theme = NEXT[currentTheme()];
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // It holds until the page is left.
  }
  applyTheme(theme);
}

/** Number that changes whenever colours do: canvases draw again. */
export function useThemeVersion(): number {
  const [version, setVersion] = useState(0);
  useEffect(() => {
    const update = () => setVersion((old) => old + 1);
    const media = matchMedia('(prefers-color-scheme: dark)');
    media.addEventListener('change', update);
    window.addEventListener(CHANGED, update);
    return () => {
      media.removeEventListener('change', update);
      window.removeEventListener(CHANGED, update);
    };
  }, []);
  return version;
}
