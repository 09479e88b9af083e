// One short touch, on devices that can.

const TOUCH_MS = 180;

export const canBuzz = (): boolean => typeof globalThis.navigator?.vibrate === "function";

export function buzz(): void {
  // A browser that has not been touched yet refuses, and says so by `false` alone.
  if (canBuzz()) navigator.vibrate(TOUCH_MS);
}
