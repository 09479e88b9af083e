// One soft sound, made here and not loaded: a low note that swells over a third of a second.

const SWELL_S = 0.35;
const FADE_S = 1.6;
const LEVEL = 0.06;

let audio: AudioContext | null = null;

/** Browsers let a page sound only after a tap; call this from one. */
export function allowChime(): void {
  audio ??= new AudioContext();
  void audio.resume();
}

export function chime(): void {
  if (audio?.state !== "running") return;
  const start = audio.currentTime;
  const gain = audio.createGain();
  gain.gain.setValueAtTime(0, start);
  gain.gain.linearRampToValueAtTime(LEVEL, start + SWELL_S);
  gain.gain.exponentialRampToValueAtTime(0.0001, start + SWELL_S + FADE_S);
  gain.connect(audio.destination);
  for (const frequency of [294, 440]) {
    const tone = audio.createOscillator();
    tone.frequency.value = frequency;
    tone.connect(gain);
    tone.start(start);
    tone.stop(start + SWELL_S + FADE_S);
  }
}
