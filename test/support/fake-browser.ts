import { fakeBrowser } from 'wxt/testing/fake-browser';

export const PAGE_ORIGIN = 'chrome-extension://test-extension-id';

type Listener = (permissions: { origins: string[] }) => void;
const event = () => {
  const listeners = new Set<Listener>();
  return {
    addListener: (listener: Listener) => void listeners.add(listener),
    trigger: async (origins: string[]) => {
      for (const listener of listeners) await listener({ origins });
    },
    clear: () => listeners.clear(),
  };
};

/** What the fake lacks: permissions, access levels, the sender of a message, the platform. */
const granted = new Set<string>();
const added = event();
const removed = event();
const accessLevels: Record<string, string> = {};
let sender: object = { id: fakeBrowser.runtime.id, url: `${PAGE_ORIGIN}/popup.html` };

async function sendMessage(message: unknown): Promise<unknown> {
  if (!fakeBrowser.runtime.onMessage.hasListeners()) throw new Error('Could not establish connection.');
  // Messages cross a process border: what is not JSON is lost.
  const copy = JSON.parse(JSON.stringify(message));
  return new Promise((resolve, reject) => {
    void fakeBrowser.runtime.onMessage
      .trigger(copy, sender, (answer: unknown) => resolve(answer && JSON.parse(JSON.stringify(answer))))
      .then((kept: unknown[]) => {
        // A listener that will answer later says so with `true`.
        if (!kept.includes(true)) resolve(undefined);
      });
    dying.add(() => reject(new Error('The message channel closed before a response was received.')));
  });
}
const dying = new Set<() => void>();

const accessOf = (area: 'local' | 'session') =>
  Object.assign(fakeBrowser.storage[area], {
    setAccessLevel: async ({ accessLevel }: { accessLevel: string }) => {
      accessLevels[area] = accessLevel;
    },
  });
accessOf('local');
accessOf('session');

Object.assign(fakeBrowser, {
  permissions: {
    getAll: async () => ({ permissions: [], origins: [...granted] }),
    contains: async ({ origins }: { origins: string[] }) => origins.every((origin) => granted.has(origin)),
    request: async ({ origins }: { origins: string[] }) => {
      for (const origin of origins) granted.add(origin);
      await added.trigger(origins);
      return true;
    },
    remove: async ({ origins }: { origins: string[] }) => {
      for (const origin of origins) granted.delete(origin);
      await removed.trigger(origins);
      return true;
    },
    onAdded: added,
    onRemoved: removed,
  },
});
Object.assign(fakeBrowser.runtime, { sendMessage, getPlatformInfo: async () => ({ os: 'linux' }) });
Object.assign(globalThis, { browser: fakeBrowser });

/**
 * A browser as far as background and state need one. Import it before anything of the extension: the extension takes its
 * `browser` from the global when it is loaded.
 */
export const host = {
  browser: fakeBrowser,
  granted,
  accessLevels,
  /** Gives a permission, as a person does in the prompt or in the browser's settings. */
  grant: (pattern: string) => fakeBrowser.permissions.request({ origins: [pattern] }),
  /** Takes a permission away, as a person does in the browser's settings. */
  takeAway: (pattern: string) => fakeBrowser.permissions.remove({ origins: [pattern] }),
  /** Who sends the messages that follow. */
  sendAs: (as: object) => {
    sender = as;
  },
  /** Everything that is kept, as text: for showing that something is not among it. */
  stored: async (area: 'local' | 'session') => JSON.stringify(await fakeBrowser.storage[area].get()),
  /** Stops the worker: its listeners are gone and whoever waits for an answer is told so. Storage stays. */
  dropWorker(): void {
    fakeBrowser.runtime.onMessage.removeAllListeners();
    fakeBrowser.tabs.onUpdated.removeAllListeners();
    fakeBrowser.alarms.onAlarm.removeAllListeners();
    fakeBrowser.notifications.onClicked.removeAllListeners();
    added.clear();
    removed.clear();
    for (const die of dying) die();
    dying.clear();
  },
  /** As after a browser start: memory-only storage is empty. */
  async quit(): Promise<void> {
    this.dropWorker();
    await fakeBrowser.storage.session.clear();
  },
  reset(): void {
    this.dropWorker();
    fakeBrowser.reset();
    granted.clear();
    sender = { id: fakeBrowser.runtime.id, url: `${PAGE_ORIGIN}/popup.html` };
  },
};
