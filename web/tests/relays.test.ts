import { beforeEach, expect, test } from "vitest";
import { Relays } from "../src/net/relays";
import type { Outcome } from "../src/net/socket";

const server = (username: string) => ({
  urls: ["turn:relay.example"],
  username,
  credential: "x",
  lasts_ms: 300_000,
});
let asked: string[];
let answer: Outcome;
let relays: Relays;
const names = async (nowMs: number) => (await relays.fresh(nowMs)).map((s) => s.username);

beforeEach(() => {
  asked = [];
  answer = { kind: "ice_servers", servers: [server("2:a")] };
  relays = new Relays(async ({ kind }) => {
    asked.push(kind);
    return answer;
  });
});

test("a server without a relay is asked for none", async () => {
  relays.given([], 0);
  expect(await relays.fresh(9_000_000)).toEqual([]);
  expect(asked).toEqual([]);
});

test("fresh credentials are used as they are, old ones are renewed once", async () => {
  relays.given([server("1:a")], 1_000);
  expect(await names(151_000)).toEqual(["1:a"]);
  expect(asked).toEqual([]);
  expect(await names(151_001)).toEqual(["2:a"]);
  expect(await names(160_000)).toEqual(["2:a"]);
  expect(asked).toEqual(["get_ice_servers"]);
});

test("a lost line leaves what there was, and the next connection asks again", async () => {
  relays.given([server("1:a")], 0);
  answer = { kind: "lost" };
  expect(await names(200_000)).toEqual(["1:a"]);
  answer = { kind: "ice_servers", servers: [server("2:a")] };
  expect(await names(201_000)).toEqual(["2:a"]);
});
