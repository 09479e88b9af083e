// The few HTTP questions the client asks before it opens the socket.

/** What a blocked link says: the host's own words on how to appeal, and the day of the review. */
export interface Blocked {
  words: string;
  review_on: string;
}

/** What the server tells of a link that works. */
export interface Told {
  role: "facilitator" | "participant";
  /** The name under which the group's secret is kept. */
  group: string;
  practice: boolean;
  /** check: of the group's secret of today. reason: why it is off, in the host's words. */
  encryption: { on: boolean; check: string | null; reason: string | null };
}

export type LinkAnswer = "bad_link" | "unreachable" | Blocked | Told;

/** Asks whether an invitation works, before anybody is asked for a microphone. */
export async function askLink(link: string): Promise<LinkAnswer> {
  try {
    const response = await post("/api/link", { link });
    if (response.ok) return (await response.json()) as Told;
    if (response.status === 403) return (await response.json()) as Blocked;
    return response.status === 404 || response.status === 422 ? "bad_link" : "unreachable";
  } catch {
    // Offline, a server that restarts, or ten seconds of nothing: all the same to a person.
    return "unreachable";
  }
}

/** Asks for a circle with robots to practise in; the token of its link, or null. */
export async function askPractice(link: string): Promise<string | null> {
  try {
    const response = await post("/api/practice", { link }, 30_000);
    if (!response.ok) return null;
    const given = (await response.json()) as { link: string };
    return new URL(given.link, location.href).hash.slice(1) || null;
  } catch {
    return null;
  }
}

/**
 * Puts the check of a new secret in the place of the old one (null for none). Resolves to the check
 * that is there now: the new one, or another's; null when the server does not answer.
 */
export async function putCheck(
  link: string,
  check: string,
  old: string | null,
): Promise<string | null> {
  try {
    const response = await post("/api/check", { link, check, old });
    const told = (await response.json()) as { check?: string | null };
    return response.ok || response.status === 409 ? (told.check ?? null) : null;
  } catch {
    return null;
  }
}

/** A fresh link for others, still without the secret, and what the host calls it by; or null. */
export async function askInvitation(
  link: string,
  role: Told["role"],
): Promise<{ link: string; code: string } | null> {
  try {
    const response = await post("/api/invitation", { link, role });
    return response.ok ? await response.json() : null;
  } catch {
    return null;
  }
}

function post(path: string, body: object, limitMs = 10_000): Promise<Response> {
  return fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    cache: "no-store",
    signal: AbortSignal.timeout(limitMs),
  });
}
