// Package requests reads what clients ask for: authorization requests, and requests to end a session. What it returns is
// what the client said, and said of itself: every signature in it is verified, every parameter has one value and is within
// its bounds, and the account is the one that the client named. Nothing is granted here, and nothing is kept: codes, tokens
// and pushed requests are provider/oauth's, and this package needs neither a store nor fosite.
//
// The only part of a request that is checked elsewhere is what the OAuth core sees of it, see Core.
//
//	form      ReadForm, ReadPushed     each parameter once, with a value, in UTF-8
//	  ↓       Reader.Client            the registered client that it names, whom the caller authenticates where that is due
//	  ↓       Reader.Authorization     request object → parameters → scope → claims → Core → hints
//	  ↓       Reader.Entra             the same of clients with the contract entra-external-method
//	  ↓       Reader.Logout            our own ID token as the hint → where the browser goes back to
//	Authorization, Logout
package requests
