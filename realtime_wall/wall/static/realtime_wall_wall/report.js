/* The report is written by the server; what cannot be loaded leaves no hole in it. */
(function (root) {
  "use strict";

  const report = document.querySelector(".wall-report");
  if (report) root.WallFrame.watchPictures(report);
})(globalThis);
