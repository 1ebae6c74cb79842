// Asks where the journey stands and loads the page anew when it has moved on. Without it, the page reloads itself.
(function () {
  "use strict";
  var stage = document.body.dataset.stage;
  function ask() {
    fetch("/journey/state", { headers: { Accept: "application/json" }, cache: "no-store" })
      .then(function (answer) { return answer.ok ? answer.json() : { stage: "gone" }; })
      .then(function (state) {
        if (state.stage !== stage) { location.reload(); return; }
        setTimeout(ask, 1200);
      })
      .catch(function () { setTimeout(ask, 3000); });
  }
  setTimeout(ask, 1200);
})();
