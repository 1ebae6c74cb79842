// Follows the transaction by server-sent events and reloads when another page is due. Without scripts the page
// refreshes itself.
(function () {
  'use strict';
  var status = document.getElementById('progress');
  if (!status || !window.EventSource) { return; }
  var source = new EventSource(status.dataset.events);
  source.addEventListener('progress', function (event) {
    var news = JSON.parse(event.data);
    if (status.textContent !== news.text) { status.textContent = news.text; }
    if (news.reload) { source.close(); window.location.reload(); }
  });
}());
