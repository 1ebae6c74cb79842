// Follows the transaction by server-sent events and reloads when another page is due. Without scripts the page
// refreshes itself.
(function () {
  'use strict';
  var status = document.getElementById('progress');
  if (!status || !window.EventSource) { return; }
  // show puts a new code in the place of one that nobody scanned in time.
  function show(wallet, text) {
    document.querySelectorAll('[data-wallet="' + CSS.escape(wallet) + '"]').forEach(function (element) {
      if (element.classList.contains('link') && element.textContent !== text) {
        element.textContent = text;
        document.querySelectorAll('img.qr[data-wallet="' + CSS.escape(wallet) + '"]').forEach(function (image) {
          image.src = image.src.replace(/&v=.*$/, '') + '&v=' + Date.now();
        });
      }
    });
  }
  // follow listens. The browser connects again by itself when a connection ends, and gives up when it is answered with
  // an error: a proxy's, while the server restarts, or ours, when too many pages are live.
  function follow() {
    var source = new EventSource(status.dataset.events);
    source.addEventListener('progress', function (event) {
      var news = JSON.parse(event.data);
      if (status.textContent !== news.text) { status.textContent = news.text; }
      Object.keys(news.codes || {}).forEach(function (wallet) { show(wallet, news.codes[wallet]); });
      if (news.reload) { source.close(); window.location.reload(); }
    });
    source.addEventListener('error', function () {
      if (source.readyState === EventSource.CLOSED) { window.setTimeout(follow, 10000); }
    });
  }
  follow();
}());
