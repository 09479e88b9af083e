import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Profile } from "../protocol";

interface FaceProps {
  color: Profile["color"] | undefined;
  class?: string;
  children?: ComponentChildren;
}

/** A drawn person in their colour; a picture may lie over it. */
export function Face({ color = "sand", class: extra = "", children }: FaceProps) {
  return (
    <div class={`face c-${color} ${extra}`}>
      <svg viewBox="0 0 100 100" aria-hidden="true">
        <circle cx="50" cy="40" r="16" />
        <path d="M19 100c2-26 16-37 31-37s29 11 31 37z" />
      </svg>
      {children}
    </div>
  );
}

interface PictureProps {
  track: MediaStreamTrack;
  label: string;
  mirrored?: boolean;
}

/** A camera picture. It stays transparent until the first frame, so that nothing flashes black. */
export function Picture({ track, label, mirrored = false }: PictureProps) {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    const element = video.current;
    if (!element) return;
    element.classList.remove("seen");
    element.srcObject = new MediaStream([track]);
    const onFrame = () => element.classList.add("seen");
    if ("requestVideoFrameCallback" in element) element.requestVideoFrameCallback(onFrame);
    else (element as HTMLVideoElement).addEventListener("playing", onFrame, { once: true });
    return () => {
      element.srcObject = null;
    };
  }, [track]);
  return (
    <video
      ref={video}
      class={mirrored ? "mirrored" : ""}
      aria-label={label}
      autoplay
      playsInline
      muted
      disablePictureInPicture
    />
  );
}
