/** What the page knows: signals, fed by what the collector's inspector says. No part of it touches the document. */
import { batch, computed, signal } from '@preact/signals';
import type { ActorRow, RecentStep, SeriesNews, ServerMessage, Strip } from '../protocol.ts';
import { keptWith } from './steps/kept.ts';

/** `lost`: the collector is gone; all that is known is of then. */
export type Link = 'connecting' | 'open' | 'lost';
export type Theme = 'light' | 'dark';

/** All actors by id. A new map with each message that changes one; rows that did not change are the same objects. */
export const actors = signal<ReadonlyMap<string, ActorRow>>(new Map());
export const selectedId = signal<string | undefined>(undefined);
export const selected = computed<ActorRow | undefined>(() =>
  selectedId.value === undefined ? undefined : actors.value.get(selectedId.value),
);
export const strip = signal<Strip | undefined>(undefined);
/** Newest last; one who has looked for long sees further back than the server does. */
export const recent = signal<readonly RecentStep[]>([]);
export const link = signal<Link>('connecting');
export const theme = signal<Theme>('light');
/** The newest of the watched series; `undefined` again with a whole picture: what was drawn may lack something. */
export const seriesNews = signal<SeriesNews | undefined>(undefined);

/** The series that the server is asked for. */
export const watched = signal<string | undefined>(undefined);
/** Wall ms of the collector's machine when it said what is known now. */
export const heardAt = signal<number | undefined>(undefined);
/** Wall ms of this machine since when the link is what it is. */
export const linkSince = signal(Date.now());
export const version = signal<string | undefined>(undefined);
/** The newest message, for whoever lives on differences. */
export const message = signal<ServerMessage | undefined>(undefined);
/** Wall ms of this machine when the newest message came. */
export const receivedAt = signal<number | undefined>(undefined);
/** Raised by one whenever the chart in view is to be fitted into its frame. */
export const fitRequests = signal(0);

export function select(id: string | undefined): void {
  selectedId.value = id;
}

/** Asks the server for news of one series, instead of another. */
export function watchSeries(series: string | undefined): void {
  watched.value = series;
}

export function setLink(next: Link): void {
  if (link.value === next) return;
  batch(() => {
    link.value = next;
    linkSince.value = Date.now();
  });
}

/** Takes in what the server says. */
export function receive(heard: ServerMessage): void {
  batch(() => {
    heardAt.value = heard.at;
    receivedAt.value = Date.now();
    if (heard.type === 'picture') {
      version.value = heard.version;
      actors.value = new Map(heard.actors.map((row) => [row.id, row]));
      recent.value = heard.recent;
      strip.value = heard.strip;
      seriesNews.value = undefined;
    } else {
      if (heard.actors !== undefined || heard.gone !== undefined) {
        const next = new Map(actors.value);
        for (const row of heard.actors ?? []) next.set(row.id, row);
        for (const id of heard.gone ?? []) next.delete(id);
        actors.value = next;
      }
      if (heard.recent !== undefined) recent.value = keptWith(recent.value, heard.recent);
      if (heard.strip !== undefined) strip.value = heard.strip;
      if (heard.series !== undefined) seriesNews.value = heard.series;
    }
    message.value = heard;
  });
}
