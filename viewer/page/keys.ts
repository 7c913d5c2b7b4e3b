/** Keys: one table that both reacts and is shown by `?`. */
import { useEffect, useState } from 'preact/hooks';

export interface Key {
  /** As in `KeyboardEvent.key`; several for the same thing. */
  keys: string[];
  does: string;
  run(event: KeyboardEvent): void;
}

interface Group {
  title: string;
  keys: Key[];
}

const groups: Group[] = [];

/** What is bound now, in the order of being mounted. */
export function boundKeys(): readonly Group[] {
  return groups;
}

/** Binds keys while the component is shown; later ones win. Nothing is bound while the reader types. */
export function useKeys(title: string, keys: Key[]): void {
  const group = useGroup(title);
  group.keys = keys;
}

function useGroup(title: string): Group {
  const [group] = useState<Group>(() => ({ title, keys: [] }));
  useEffect(() => {
    groups.push(group);
    return () => {
      groups.splice(groups.indexOf(group), 1);
    };
  }, [group]);
  return group;
}

/** Starts listening; to be called once. */
export function listenToKeys(): void {
  window.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const target = event.target as HTMLElement;
    if (event.key === 'Escape' && typing(target)) {
      target.blur();
      return;
    }
    if (typing(target) || document.querySelector('dialog[open]')) return;
    for (const group of [...groups].reverse()) {
      const key = group.keys.find(({ keys }) => keys.includes(event.key));
      if (key) {
        // Space and Enter on a focused button or link belong to it.
        if ((event.key === ' ' || event.key === 'Enter') && target.closest('a, button, summary')) return;
        event.preventDefault();
        key.run(event);
        return;
      }
    }
  });
}

function typing(target: HTMLElement): boolean {
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}

/** Moves the focus among the elements that `selector` finds; starts at the first. */
export function moveFocus(selector: string, step: number): void {
  const all = [...document.querySelectorAll<HTMLElement>(selector)];
  if (all.length === 0) return;
  const at = all.indexOf(document.activeElement as HTMLElement);
  const next = all[at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.max(0, Math.min(all.length - 1, at + step))];
  next.focus();
  next.scrollIntoView({ block: 'nearest' });
}
