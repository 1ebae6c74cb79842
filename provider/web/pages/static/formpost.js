// Submits an authorization response to the client; the page has a button for browsers without scripts.
document.getElementById("response").submit();
