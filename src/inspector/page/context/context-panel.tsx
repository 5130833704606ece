/** What an actor remembers, read when it is asked for. */
import { useEffect, useState } from 'preact/hooks';
import type { ActorDetail, ActorRow } from '../../protocol.ts';
import { wallTime } from '../format.ts';
import { link } from '../model.ts';
import { itemsOf } from './json.ts';
import { JsonTree } from './json-tree.tsx';

interface Read {
  readonly at: number;
  /** Transitions it had taken by then. */
  readonly steps: number;
  readonly detail?: ActorDetail;
  readonly failure?: string;
}

export function ContextPanel({ row }: { row: ActorRow | undefined }) {
  const [read, setRead] = useState<Read | undefined>(undefined);
  const id = row?.id;
  // Of another actor nothing has been read.
  useEffect(() => setRead(undefined), [id]);
  const since = read === undefined || row === undefined ? 0 : row.steps - read.steps;

  const ask = async (): Promise<void> => {
    if (row === undefined) return;
    const { id: asked, steps } = row;
    const answer = await detailOf(asked);
    setRead({ at: Date.now(), steps, ...answer });
  };

  return (
    <section class={read === undefined ? 'context unread' : 'context'} aria-label="Context">
      <header>
        <h2>Context</h2>
        {read !== undefined && (
          <span class="when" title="When it was read, and how many transitions were taken since">
            {wallTime(read.at)}
            {since > 0 && `, ${since} since`}
          </span>
        )}
        <button
          type="button"
          disabled={row === undefined || link.value !== 'open'}
          onClick={() => void ask()}
        >
          {read === undefined ? 'Read' : 'Read again'}
        </button>
      </header>
      {read === undefined ? (
        <p class="none">Read when asked for; secrets are left out.</p>
      ) : read.detail === undefined || read.detail.id !== id ? (
        <p class="none">{read.failure ?? ''}</p>
      ) : (
        <Whole key={read.at} context={read.detail.context} />
      )}
    </section>
  );
}

function Whole({ context }: { context: unknown }) {
  const items = itemsOf(context) ?? [{ name: 'context', value: context }];
  return (
    <div class="json">
      {items.length === 0 && <p class="none">It is empty.</p>}
      {items.map(({ name, value }) => (
        <JsonTree key={name} name={name} value={value} level={0} startsOpen={items.length === 1} />
      ))}
    </div>
  );
}

async function detailOf(id: string): Promise<Pick<Read, 'detail' | 'failure'>> {
  try {
    const answer = await fetch(`./api/actors/${encodeURIComponent(id)}`);
    if (!answer.ok)
      return { failure: answer.status === 404 ? 'This actor is no more.' : `HTTP ${answer.status}` };
    return { detail: (await answer.json()) as ActorDetail };
  } catch {
    return { failure: 'The collector does not answer.' };
  }
}
