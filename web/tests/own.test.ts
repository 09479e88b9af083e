import { beforeEach, describe, expect, test, vi } from "vitest";
import type { Command } from "../src/net/socket";
import type { SeatView, View } from "../src/protocol";
import * as circle from "../src/state/circle";
import * as own from "../src/state/own";
import { frame, seat, view } from "./kit";

class FakeTrack {
  enabled = true;
  readyState = "live";
  onended = () => {};
  stop() {
    this.readyState = "ended";
  }
}

let sent: Record<string, FakeTrack | null>;
let asked: Command[];
let seq = 0;
/** What the server answers, and the view it shows then. */
let answers: (command: Command) => boolean;

/** Ana's seat as the server tells it. */
function told(changes: Partial<SeatView>, may = ["set_mic", "set_camera"]) {
  circle.show(frame(view({ seats: [seat("s2", changes)], may }), ++seq), 0);
  own.follow();
}

beforeEach(() => {
  own.stopAll();
  circle.forget();
  sent = {};
  asked = [];
  answers = ({ kind, ...rest }) => {
    const state = "on" in rest && rest.on ? "on" : "off";
    told(kind === "set_mic" ? { mic: state } : { camera: state });
    return true;
  };
  own.connect({
    media: {
      send(kind, track) {
        sent[kind] = track as unknown as FakeTrack | null;
      },
    },
    async ask(command) {
      asked.push(command);
      return answers(command);
    },
  });
  const getUserMedia = async () => ({ getTracks: () => [new FakeTrack()] });
  vi.stubGlobal("navigator", { mediaDevices: { getUserMedia } });
  own.newConnection();
  told({});
});

describe("the microphone", () => {
  test("is permitted without being heard", async () => {
    await own.permitMic();
    expect(own.microphone.value?.enabled).toBe(false);
    expect(sent.audio).toBeNull();
  });

  test("is heard after a tap, and only then", async () => {
    await own.switchMic(true);
    expect(own.microphone.value?.enabled).toBe(true);
    expect(sent.audio).toBe(own.microphone.value);
  });

  test("stays off when the server refuses", async () => {
    answers = () => false;
    await own.switchMic(true);
    expect(own.microphone.value?.enabled).toBe(false);
    expect(sent.audio).toBeNull();
  });

  test("closes before the server has answered", async () => {
    await own.switchMic(true);
    answers = () => {
      expect(own.microphone.value?.enabled).toBe(false);
      return false;
    };
    await own.switchMic(false);
    expect(sent.audio).toBeNull();
  });

  test("closes when the turn ends, and does not open by itself with the next", async () => {
    await own.switchMic(true);
    told({ mic: "off" }, []);
    expect(own.microphone.value?.enabled).toBe(false);
    told({ mic: "off" });
    expect(asked).toHaveLength(1);
    expect(sent.audio).toBeNull();
  });

  test("is switched off at the server when this page shows it as off", () => {
    told({ mic: "on" });
    expect(asked).toEqual([{ kind: "set_mic", on: false }]);
    expect(sent.audio).toBeNull();
  });

  test("stays off among others than those who heard it before the socket was lost", async () => {
    const apart = { quiet: { ...view({}).quiet, with_you: "s1" } };
    const show = (changes: Partial<View>, mic: "on" | "off") =>
      circle.show(
        frame(view({ ...changes, seats: [seat("s2", { mic })], may: ["set_mic"] }), ++seq),
        0,
      );
    show(apart, "off");
    own.follow();
    await own.switchMic(true);
    show(apart, "on");
    own.follow();
    asked = [];
    // The server came back, and knows nothing of the quiet word.
    own.newConnection();
    show({}, "off");
    own.follow();
    await own.permitMic();
    expect(asked).toEqual([]);
    expect(sent.audio).toBeNull();
  });

  test("comes back on when only the socket was lost", async () => {
    await own.switchMic(true);
    own.newConnection();
    told({ mic: "off" });
    await vi.waitFor(() => expect(own.microphone.value?.enabled).toBe(true));
    expect(asked).toHaveLength(2);
  });

  test("does not come back when the turn went on meanwhile", async () => {
    await own.switchMic(true);
    own.newConnection();
    told({ mic: "off" }, []);
    told({ mic: "off" });
    expect(asked).toHaveLength(1);
    expect(own.microphone.value?.enabled).toBe(false);
  });

  test("that is denied leaves a person seated, with kind words", async () => {
    const denied = async () => {
      throw new DOMException("no", "NotAllowedError");
    };
    vi.stubGlobal("navigator", { mediaDevices: { getUserMedia: denied } });
    await own.switchMic(true);
    expect(own.micTrouble.value).toBe("device_denied");
    expect(asked).toEqual([]);
  });
});

describe("the camera", () => {
  test("chosen before sitting down is on in the circle", async () => {
    own.stopAll();
    await own.permitCamera();
    own.newConnection();
    told({});
    await vi.waitFor(() => expect(sent.video).toBe(own.camera.value));
    expect(asked).toEqual([{ kind: "set_camera", on: true }]);
  });

  test("gives the device back when it is switched off", async () => {
    await own.switchCamera(true);
    const track = own.camera.value;
    await own.switchCamera(false);
    expect(track?.readyState).toBe("ended");
    expect(sent.video).toBeNull();
  });

  test("is let go when a facilitator covers it", async () => {
    await own.switchCamera(true);
    told({ camera: "covered" });
    expect(own.camera.value).toBeNull();
    expect(sent.video).toBeNull();
  });
});

test("leaving at once stops both devices", async () => {
  await own.switchMic(true);
  await own.switchCamera(true);
  const tracks = [own.microphone.value, own.camera.value];
  own.stopAll();
  expect(tracks.map((track) => track?.readyState)).toEqual(["ended", "ended"]);
});
