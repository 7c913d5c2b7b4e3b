/** The frame: where one is, where one can go, and the keys that work everywhere. */
import { useEffect, useState } from 'preact/hooks';
import { useKeys } from './keys.ts';
import { useLive } from './live.ts';
import { go, interceptLinks, type Route, to, useRoute } from './router.ts';
import { currentTheme, nextTheme, useThemeVersion } from './theme.ts';
import { Empty } from './ui/basic.tsx';
import { HealthPage } from './views/health.tsx';
import { Help } from './views/help.tsx';
import { LogsView } from './views/logs.tsx';
import { OverviewView } from './views/overview.tsx';
import { ServiceDetails } from './views/service.tsx';
import { StatusBar } from './views/status-bar.tsx';
import { TracePage } from './views/trace.tsx';
import { TracesView } from './views/traces.tsx';

const TABS = [
  { name: 'Overview', href: to.overview(), views: ['overview', 'service'] },
  { name: 'Traces', href: to.traces(), views: ['traces', 'trace'] },
  { name: 'Logs', href: to.logs(), views: ['logs'] },
  { name: 'Health', href: to.health(), views: ['health'] },
];

export function App() {
  const route = useRoute();
  const { change } = useLive();
  const [help, setHelp] = useState(false);
  useThemeVersion();
  useKeys('Everywhere', [
    ...TABS.map(({ name, href }, at) => ({ keys: [String(at + 1)], does: name, run: () => go(href) })),
    { keys: ['t'], does: 'light, dark or as the system', run: nextTheme },
    { keys: ['?'], does: 'this list', run: () => setHelp(true) },
  ]);
  useEffect(() => {
    document.addEventListener('click', interceptLinks);
    return () => document.removeEventListener('click', interceptLinks);
  }, []);
  useEffect(() => {
    document.title = `${titleOf(route)} · o11y-kit`;
  }, [titleOf(route)]);
  return (
    <>
      <button type="button" class="skip" onClick={skip}>
        Skip to the content
      </button>
      <header class="bar">
        <a class="brand" href={to.overview()} aria-label="o11y-kit">
          <Mark />
          <span>o11y-kit</span>
        </a>
        <nav aria-label="Views">
          {TABS.map(({ name, href, views }) => (
            <a key={name} href={href} aria-current={views.includes(route.view) ? 'page' : undefined}>
              {name}
            </a>
          ))}
        </nav>
        <button
          type="button"
          class="icon"
          onClick={nextTheme}
          aria-label={`Colours: ${currentTheme()}. Change`}
          title="Light, dark or as the system (t)"
        >
          ◐
        </button>
        <button type="button" class="icon" onClick={() => setHelp(true)} aria-label="Keys" title="Keys (?)">
          ?
        </button>
      </header>
      {/* After everything was cleared, nothing of what was shown is true any more. */}
      <main id="main" tabIndex={-1} key={change?.generation ?? 0}>
        <View route={route} />
      </main>
      <StatusBar />
      {help && <Help onClose={() => setHelp(false)} />}
    </>
  );
}

function View({ route }: { route: Route }) {
  switch (route.view) {
    case 'overview':
      return <OverviewView />;
    case 'service':
      return <ServiceDetails key={route.name} name={route.name} query={route.query} />;
    case 'traces':
      return <TracesView query={route.query} />;
    case 'trace':
      return <TracePage id={route.id} span={route.span} />;
    case 'logs':
      return <LogsView query={route.query} />;
    case 'health':
      return <HealthPage />;
    case 'unknown':
      return (
        <Empty only title="Nothing here">
          <p>
            <a href={to.overview()}>To the overview</a>
          </p>
        </Empty>
      );
  }
}

function titleOf(route: Route): string {
  if (route.view === 'service') return route.name;
  if (route.view === 'trace') return `Trace ${route.id.slice(0, 8)}`;
  return TABS.find(({ views }) => views.includes(route.view))?.name ?? 'Nothing here';
}

/** No link to a fragment: the address must keep its view. */
function skip(): void {
  document.querySelector<HTMLElement>('#main')?.focus();
}

function Mark() {
  return (
    <svg width="20" height="20" viewBox="0 0 20 20" aria-hidden="true">
      <rect x="1" y="3" width="13" height="3.4" rx="1.7" class="m1" />
      <rect x="4" y="8.3" width="12" height="3.4" rx="1.7" class="m2" />
      <rect x="10" y="13.6" width="9" height="3.4" rx="1.7" class="m3" />
    </svg>
  );
}
