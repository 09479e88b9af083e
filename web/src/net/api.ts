// The few HTTP questions the client asks before it opens the socket.

/** What a blocked link says: the host's own words on how to appeal, and the day of the review. */
export interface Blocked {
  words: string;
  review_on: string;
}

/** leads: it is a facilitators' link. */
export type LinkAnswer = "works" | "leads" | "bad_link" | "unreachable" | Blocked;

/** Asks whether an invitation works, before anybody is asked for a microphone. */
export async function askLink(link: string): Promise<LinkAnswer> {
  try {
    const response = await fetch("/api/link", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ link }),
      cache: "no-store",
      signal: AbortSignal.timeout(10_000),
    });
    if (response.ok) return (await response.json()).role === "facilitator" ? "leads" : "works";
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
    const response = await fetch("/api/practice", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ link }),
      cache: "no-store",
      signal: AbortSignal.timeout(30_000),
    });
    if (!response.ok) return null;
    const given = (await response.json()) as { link: string };
    return new URL(given.link, location.href).hash.slice(1) || null;
  } catch {
    return null;
  }
}
