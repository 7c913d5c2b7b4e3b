import { whole } from '../format.ts';
import { useKeys } from '../keys.ts';
import type { Tail } from '../tail.ts';

/** Says whether the list moves, and how many rows wait. */
export function TailBar({ tail, noun, onNew }: { tail: Tail<unknown>; noun: string; onNew(): void }) {
  useKeys('List', [
    { keys: ['p'], does: 'hold the list still, or let it go on', run: () => tail.pause(!tail.paused) },
    { keys: ['n'], does: 'show what is new', run: show },
  ]);
  function show(): void {
    onNew();
    tail.showNew();
  }
  return (
    <div class="tail-bar">
      <button type="button" class="quiet-button" aria-pressed={tail.paused} onClick={() => tail.pause(!tail.paused)}>
        {tail.paused ? '▶ Go on' : '❚❚ Hold'}
      </button>
      <span class="quiet" role="status">
        {tail.paused ? 'held' : tail.frozen ? 'held while you read' : 'live'}
      </span>
      {tail.waiting > 0 && (
        <button type="button" class="new" onClick={show}>
          ↑ {whole(tail.waiting)}
          {tail.waitingMore && '+'} new {noun}
        </button>
      )}
    </div>
  );
}
