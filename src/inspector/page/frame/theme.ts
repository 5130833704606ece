/** Light or dark: as the system prefers, until somebody chooses. */
import { effect } from '@preact/signals';
import { type Theme, theme } from '../model.ts';
import { recall, remember } from './memory.ts';

const DARK = matchMedia('(prefers-color-scheme: dark)');
const preferred = (): Theme => (DARK.matches ? 'dark' : 'light');
const chosen = (): Theme | undefined => {
  const kept = recall('theme');
  return kept === 'light' || kept === 'dark' ? kept : undefined;
};

export function followTheme(): void {
  theme.value = chosen() ?? preferred();
  DARK.addEventListener('change', () => {
    theme.value = chosen() ?? preferred();
  });
  effect(() => {
    document.documentElement.dataset['theme'] = theme.value;
  });
}

export function toggleTheme(): void {
  const next = theme.value === 'dark' ? 'light' : 'dark';
  remember('theme', next);
  theme.value = next;
}
