import { Copy, Empty } from '../ui/basic.tsx';

/** What to do while nothing has arrived. */
export function NothingYet({ only }: { only?: boolean }) {
  const command = 'node --import o11y-kit/preload app.js';
  return (
    <Empty only={only} title="Waiting for telemetry">
      <p>Start any Node.js app with one flag. It appears here with its first request.</p>
      <p class="command">
        <code>{command}</code>
        <Copy text={command} label="Copy the command" />
      </p>
      <p class="quiet">
        Anything that speaks OTLP over HTTP may send to <code>{location.origin}</code>.
      </p>
    </Empty>
  );
}
