import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { draw, toB64 } from "../src/e2ee/frames";
import { check } from "../src/e2ee/keys";
import type { Told } from "../src/net/api";
import { keepSecret, keptOf } from "../src/net/vault";
import { door, knock, makeKey, prepare } from "../src/state/secrecy";
import { keep } from "../src/state/session";

class Memory {
  private readonly kept = new Map<string, string>();
  getItem = (key: string) => this.kept.get(key) ?? null;
  setItem = (key: string, value: string) => void this.kept.set(key, value);
  removeItem = (key: string) => void this.kept.delete(key);
}

const [OLD, NOW, NEXT] = [draw(32), draw(32), draw(32)];
const text = { old: toB64(OLD), now: toB64(NOW), next: toB64(NEXT) };
const told = async (secret: typeof NOW | null, role: Told["role"] = "participant") => ({
  role,
  group: "g",
  practice: false,
  encryption: { on: true, check: secret && (await check(secret)), reason: null },
});
const OFF: Told = {
  role: "participant",
  group: "g",
  practice: false,
  encryption: { on: false, check: null, reason: "Trust us." },
};
const secretNow = () => keptOf("g").secret;

beforeEach(() => {
  vi.stubGlobal("localStorage", new Memory());
  vi.stubGlobal("sessionStorage", new Memory());
  vi.stubGlobal("RTCRtpScriptTransform", class {});
  keep("link", "a.b");
});
afterEach(() => vi.unstubAllGlobals());

describe("the door", () => {
  test("opens with the link's secret, and keeps it for the next time", async () => {
    keep("secret", text.now);
    expect(await knock(await told(NOW))).toBe("join");
    expect(secretNow()).toBe(text.now);
    expect(door.value).toMatchObject({ isOn: true, isOlder: false });
  });

  test("takes a newer link's secret in the place of the one before", async () => {
    keepSecret("g", text.now);
    keep("secret", text.next);
    expect(await knock(await told(NEXT))).toBe("join");
    expect(keptOf("g")).toMatchObject({ secret: text.next, older: [text.now] });
  });

  test("never goes back to an older secret, whatever the link and the server say", async () => {
    keepSecret("g", text.old);
    keepSecret("g", text.now);
    expect(await knock(await told(OLD))).toBe("join");
    expect(secretNow()).toBe(text.now);
    keep("secret", text.old);
    expect(await knock(await told(OLD))).toBe("join");
    expect(secretNow()).toBe(text.now);
  });

  test("lets no link that nobody vouches for replace what was known", async () => {
    keepSecret("g", text.now);
    keep("secret", text.old);
    expect(await knock(await told(NEXT))).toBe("join");
    expect(secretNow()).toBe(text.now);
    expect(door.value?.isOlder).toBe(true);
  });

  test("stays shut without any secret", async () => {
    expect(await knock(await told(NOW))).toBe("key_missing");
    expect(await knock(await told(null))).toBe("key_missing");
  });

  test("is not gone through in clear after the link or the server has said otherwise", async () => {
    keep("secret", text.now);
    expect(await knock(OFF)).toBe("downgraded");
    await knock(await told(NOW));
    sessionStorage.removeItem("secret");
    expect(await knock(OFF)).toBe("downgraded");
    sessionStorage.removeItem("door");
    expect(await knock(OFF)).toBe("join");
  });
});

describe("a new secret", () => {
  const answers = (...all: (() => Response | Promise<never>)[]) => {
    const asked: { check: string; old: string | null }[] = [];
    vi.stubGlobal("fetch", async (_: string, { body }: { body: string }) => {
      asked.push(JSON.parse(body));
      return all.shift()?.();
    });
    return asked;
  };
  const lost = () => Promise.reject(new Error("no answer"));

  test("whose answer was lost is offered again, and is the group's then", async () => {
    const asked = answers(lost, () => Response.json({ check: asked[0]?.check }, { status: 409 }));
    const at = await told(NOW, "facilitator");
    expect(await makeKey(at)).toBe(false);
    expect(secretNow()).toBeNull();
    expect(await makeKey(at)).toBe(true);
    expect(asked[1]).toEqual(asked[0]);
    expect(secretNow()).not.toBeNull();
  });

  test("that came too late is nobody's", async () => {
    const asked = answers(() => Response.json({ check: "another" }, { status: 409 }));
    expect(await makeKey(await told(NOW, "facilitator"))).toBe(false);
    expect(secretNow()).toBeNull();
    expect(asked).toHaveLength(1);
  });

  test("is not there while the server does not answer the first who leads", async () => {
    answers(lost);
    expect(await knock(await told(null, "facilitator"))).toBe("unreachable");
  });
});

test("who has lost the secret meanwhile is told before anything is said of them", async () => {
  keep("door", { isOn: true, reason: null, isOlder: false, group: "g" });
  expect(await prepare({ name: "Ana", color: "rose" })).toBe("key_missing");
});
