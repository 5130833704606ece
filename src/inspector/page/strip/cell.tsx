/** A figure of the strip under its name. */
import type { ComponentChildren } from 'preact';

interface Props {
  readonly name: string;
  readonly title?: string;
  /** Room for so many characters, so that nothing beside it moves when it changes. */
  readonly width?: number;
  readonly class?: string;
  readonly children: ComponentChildren;
}

export function Cell({ name, title, width, class: className = '', children }: Props) {
  return (
    <div class={`cell ${className}`} {...(title === undefined ? {} : { title })}>
      <span class="label">{name}</span>
      <span class="value" {...(width === undefined ? {} : { style: { minWidth: `${width}ch` } })}>
        {children}
      </span>
    </div>
  );
}
