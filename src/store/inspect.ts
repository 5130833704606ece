import { asStoreError, checkFolder, inspectFile, type StoreFacts } from './identity.ts';
import { refuseLocked } from './lock.ts';

/**
 * What a store says of itself, without a lock and without writing. A file that does not exist is no error.
 * `origin`: the only one that will do.
 *
 * @throws {StoreError} `STORE_FOREIGN`, `STORE_NEWER`, `STORE_UNUSABLE`, `STORE_ORIGIN`.
 */
export async function inspectStore(path: string, origin?: string): Promise<StoreFacts> {
  try {
    return inspectFile(path, origin);
  } catch (error) {
    throw asStoreError(error, path);
  }
}

/**
 * Throws what opening the store would throw, as far as that can be known without opening it: so that it is said
 * at once, and not when the exchange is there at last.
 *
 * @throws {StoreError} `STORE_LOCKED`, `STORE_ORIGIN`, `STORE_FOREIGN`, `STORE_NEWER`, `STORE_UNUSABLE`.
 */
export async function checkStore(path: string, origin: string): Promise<void> {
  try {
    inspectFile(path, origin);
    checkFolder(path);
    refuseLocked(path);
  } catch (error) {
    throw asStoreError(error, path);
  }
}
