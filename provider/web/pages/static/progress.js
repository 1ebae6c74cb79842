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
  var source = new EventSource(status.dataset.events);
  source.addEventListener('progress', function (event) {
    var news = JSON.parse(event.data);
    if (status.textContent !== news.text) { status.textContent = news.text; }
    Object.keys(news.codes || {}).forEach(function (wallet) { show(wallet, news.codes[wallet]); });
    if (news.reload) { source.close(); window.location.reload(); }
  });
}());
