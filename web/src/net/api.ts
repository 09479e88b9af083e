// The one HTTP question the client asks before it opens the socket.

/** What a blocked link says: the host's own words on how to appeal, and the day of the review. */
export interface Blocked {
  words: string;
  review_on: string;
}

export type LinkAnswer = "works" | "bad_link" | "unreachable" | Blocked;

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
    if (response.ok) return "works";
    if (response.status === 403) return (await response.json()) as Blocked;
    return response.status === 404 || response.status === 422 ? "bad_link" : "unreachable";
  } catch {
    // Offline, a server that restarts, or ten seconds of nothing: all the same to a person.
    return "unreachable";
  }
}
