/* In the admin: the wall's own page in a frame, as wide as a stage, and in it pictures that are not saved yet.
 *
 * Such a picture is drawn on a canvas: it has no address that the policy of the wall's page would let in.
 */
(function (root) {
  "use strict";

  const WIDTH = 1920;

  /** It fills its place, now and after each change of the window. @param {HTMLIFrameElement} frame */
  function fit(frame) {
    const scale = () => {
      frame.style.transform = `scale(${(frame.parentElement?.clientWidth ?? WIDTH) / WIDTH})`;
    };
    root.addEventListener("resize", scale);
    scale();
  }

  /** null where nothing is chosen, or no picture; the server will say so. @param {HTMLInputElement | null} field */
  async function chosenPicture(field) {
    const file = field?.files?.[0];
    if (!file) return null;
    try {
      const bitmap = await createImageBitmap(file);
      const canvas = document.createElement("canvas");
      Object.assign(canvas, { width: bitmap.width, height: bitmap.height });
      canvas.getContext("2d")?.drawImage(bitmap, 0, 0);
      return canvas;
    } catch {
      return null;
    }
  }

  root.WallPreview = { fit, chosenPicture };
})(globalThis);
