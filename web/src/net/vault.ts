// What this browser keeps for a group between two meetings: its secret, a key of its own that no
// script can read out, and which devices it has met. No names. `empty` forgets it all.

/** Of one group. secret: today's; older: newest first; devices: how each has been met, by key. */
export interface Kept {
  secret: string | null;
  older: string[];
  devices: Record<string, Met>;
}
/** led: it has led the group. removed: a facilitator has removed it. */
export type Met = "here" | "led" | "removed";

const NAME = "peermeet";
const SECRETS = "secrets";
/** One that is forgotten could be taken for a new one. */
const MOST_OLDER = 30;
const OPENING_MS = 3_000;
const MOST_DEVICES = 200;

const nothing = (): Kept => ({ secret: null, older: [], devices: {} });

function readAll(): Record<string, Partial<Kept>> {
  try {
    return JSON.parse(localStorage.getItem(SECRETS) ?? "{}");
  } catch {
    return {};
  }
}

export function keptOf(group: string): Kept {
  return { ...nothing(), ...readAll()[group] };
}

function change(group: string, how: (kept: Kept) => Kept): void {
  try {
    const all = readAll();
    all[group] = how({ ...nothing(), ...all[group] });
    localStorage.setItem(SECRETS, JSON.stringify(all));
  } catch {
    // Storage may be forbidden; then the secret lasts as long as the page.
  }
}

/** From now on this is the group's secret; the one before is kept to know the returning. */
export function keepSecret(group: string, secret: string): void {
  change(group, (kept) => {
    const older = [kept.secret, ...kept.older].filter((one) => one !== null && one !== secret);
    return { ...kept, secret, older: older.slice(0, MOST_OLDER) as string[] };
  });
}

/** Notes how a device was met. Who has led has led, and who was removed stays so until here again. */
export function noteDevice(group: string, device: string, met: Met): void {
  const before = keptOf(group).devices[device];
  if (before === met || (before === "led" && met === "here")) return;
  change(group, (kept) => {
    const { [device]: _, ...others } = kept.devices;
    const newest = Object.entries(others).slice(1 - MOST_DEVICES);
    return { ...kept, devices: { ...Object.fromEntries(newest), [device]: met } };
  });
}

/** This browser's own pair of keys in a group, made by `make` at first. */
export async function deviceKeys(
  group: string,
  make: () => Promise<CryptoKeyPair>,
): Promise<CryptoKeyPair> {
  let store: IDBDatabase;
  try {
    store = await open();
  } catch {
    // No storage in this window: a device key for this visit.
    return make();
  }
  try {
    const known = await done<CryptoKeyPair | undefined>(devices(store, "readonly").get(group));
    if (known) return known;
    const made = await make();
    try {
      await done(devices(store, "readwrite").add(made, group));
      return made;
    } catch {
      // Another tab was quicker by a moment.
      return (await done<CryptoKeyPair | undefined>(devices(store, "readonly").get(group))) ?? made;
    }
  } finally {
    store.close();
  }
}

/** Forgets all groups. Waits for nothing: what asks for it is about to leave the page. */
export function empty(): void {
  try {
    localStorage.removeItem(SECRETS);
    indexedDB.deleteDatabase(NAME);
  } catch {}
}

const devices = (store: IDBDatabase, mode: IDBTransactionMode) =>
  store.transaction("devices", mode).objectStore("devices");

function open(): Promise<IDBDatabase> {
  const request = indexedDB.open(NAME, 1);
  request.onupgradeneeded = () => request.result.createObjectStore("devices");
  // Another tab may just be forgetting everything.
  const late = new Promise<never>((_, reject) => setTimeout(reject, OPENING_MS));
  return Promise.race([done(request), late]);
}

function done<Result>(request: IDBRequest<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
