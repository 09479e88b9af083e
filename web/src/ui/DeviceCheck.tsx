import { type Signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { meter } from "../net/devices";
import {
  camera,
  cameraTrouble,
  closeCamera,
  microphone,
  micTrouble,
  permitCamera,
  permitMic,
} from "../state/own";
import { text } from "../text/en";
import { Picture } from "./Face";

/** Camera and microphone before sitting down. Nothing leaves this device here. */
export function DeviceCheck({ listenOnly }: { listenOnly: Signal<boolean> }) {
  const words = text.join;
  return (
    <>
      <section class="card" aria-label={words.camera}>
        <div class="mirror">
          {camera.value ? (
            <Picture track={camera.value} mirrored label={words.camera} />
          ) : (
            <p>
              <b>{words.cameraOff}</b>
              <br />
              {words.cameraOffHint}
            </p>
          )}
        </div>
        <div class="row">
          <button
            type="button"
            onClick={() => (camera.value ? closeCamera() : void permitCamera())}
          >
            {camera.value ? words.turnCameraOff : words.turnCameraOn}
          </button>
          {camera.value && <small>{words.cameraHint}</small>}
        </div>
        {cameraTrouble.value && <p role="alert">{text.code(cameraTrouble.value)}</p>}
      </section>
      <section class="card" aria-label={words.mic}>
        <label class="choice">
          <input
            type="checkbox"
            checked={listenOnly}
            onChange={(event) => {
              listenOnly.value = event.currentTarget.checked;
            }}
          />
          <span>
            <b>{words.listenOnly}</b>
            <small>{words.listenOnlyHint}</small>
          </span>
        </label>
        {!listenOnly.value && <MicTest />}
      </section>
    </>
  );
}

function MicTest() {
  const words = text.join;
  const isTesting = useSignal(false);
  const bar = useRef<HTMLDivElement>(null);
  const track = microphone.value;
  useEffect(() => {
    if (!isTesting.value || !track) return;
    track.enabled = true;
    const stop = meter(track, (level) => bar.current?.style.setProperty("--level", `${level}`));
    return () => {
      stop();
      track.enabled = false;
      bar.current?.style.setProperty("--level", "0");
    };
  }, [isTesting.value, track]);

  const toggle = async () => {
    isTesting.value = !isTesting.value && (await permitMic());
  };
  return (
    <>
      <p>
        <b>{words.mic}</b> <small>{words.micHint}</small>
      </p>
      <div ref={bar} class="meter" role="img" aria-label={words.micLevel} />
      {isTesting.value && <p>{words.micWorks}</p>}
      {micTrouble.value && <p role="alert">{text.code(micTrouble.value)}</p>}
      <button type="button" onClick={() => void toggle()}>
        {isTesting.value ? words.stopTest : words.testMic}
      </button>
    </>
  );
}
