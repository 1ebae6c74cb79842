package provider

import (
	"net/url"
	"time"

	"regain/presentation"
	"regain/presentation/authenticator"
	"regain/presentation/dcql"
	"regain/verifier"
)

// Wallet is one kind of wallet: what people call it, and the protocol that it speaks, one of two.
type Wallet struct {
	// DisplayName is what people call it, "" for any wallet.
	DisplayName string
	OpenID4VP   *presentation.Profile
	// Authenticator is for wallets like Microsoft Authenticator.
	Authenticator *authenticator.Profile
	// Issuers are DIDs whose credentials will do; a hint to such wallets.
	Issuers []string
	// TransactionData tells wallets which account is recovered, and has them sign that; OpenID4VP only.
	TransactionData bool
}

// exchange is the protocol of one kind of wallet. A request is protocol matter: whoever makes it reads it again.
type exchange interface {
	// Formats are the credential formats that it can ask for.
	formats() []string
	newRequest(wish wish) ([]byte, error)
	// link is what a link or a QR code says.
	link(to doors, request []byte, now time.Time) (string, error)
	// inLink reports whether the link has the whole request in it, so that it must be made first.
	inLink() bool
	// object is what the request URI serves; form is that of a POST, nil for a GET.
	object(request []byte, form url.Values, now time.Time) (served, error)
	open(request []byte, form url.Values, now time.Time) (opened, error)
}

// wish is what a request asks, and where its answer goes.
type wish struct {
	query       dcql.Query
	responseURI string // "" when a browser asks
	origin      string // of the page, when a browser asks
	data        []presentation.TransactionData
	lifetime    time.Duration
	now         time.Time
}

// doors are the two URIs of a way.
type doors struct{ request, response string }

// served is a request object on the wire.
type served struct {
	contentType string
	body        []byte
}

// opened is an answer that was taken apart: an error of the wallet's, or where each presentation is.
type opened struct {
	problem *presentation.WalletError
	shown   map[string]located // by the id of the credential query
	idToken string             // self-issued, where the protocol has one
	session verifier.Session   // what the presentations must be bound to
	data    []string           // transaction data, as it stood in the request
}

// located is a presentation, and which credential in it: personal data that lives for one request.
type located struct {
	text string
	at   int
}

// ids are the credential queries that were answered.
func (o opened) ids() []string {
	ids := make([]string, 0, len(o.shown))
	for id := range o.shown {
		ids = append(ids, id)
	}
	return ids
}
