import type { Inspector, InspectorOptions, Watched } from '../options.ts';

export async function serveInspector(_: Watched, options: InspectorOptions): Promise<Inspector> {
  const close = async (): Promise<void> => {};
  return { url: `http://${options.host}`, close, [Symbol.asyncDispose]: close };
}
