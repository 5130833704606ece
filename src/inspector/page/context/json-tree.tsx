/** A value, folded: what is in it is drawn when it is opened. */
import { useState } from 'preact/hooks';
import { itemsOf, kindOf, momentOf, wordOf } from './json.ts';

interface Props {
  readonly name: string;
  readonly value: unknown;
  readonly level: number;
  readonly startsOpen: boolean;
}

export function JsonTree({ name, value, level, startsOpen }: Props) {
  const [isOpen, setOpen] = useState(startsOpen);
  const items = itemsOf(value) ?? [];
  const moment = momentOf(value);
  const style = { paddingLeft: `${level * 12}px` };
  if (items.length === 0)
    return (
      <div class="leaf" style={style}>
        <span class="key">{name}</span>
        <span class={`value ${kindOf(value)}`} title={moment ?? wordOf(value)}>
          {wordOf(value)}
        </span>
      </div>
    );
  return (
    <>
      <button
        type="button"
        class="branch"
        style={style}
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
      >
        <span class={isOpen ? 'twist open' : 'twist'} aria-hidden="true">
          ▸
        </span>
        <span class="key">{name}</span>
        <span class="size">{wordOf(value)}</span>
      </button>
      {isOpen &&
        items.map((item) => (
          <JsonTree
            key={item.name}
            name={item.name}
            value={item.value}
            level={level + 1}
            startsOpen={false}
          />
        ))}
    </>
  );
}
