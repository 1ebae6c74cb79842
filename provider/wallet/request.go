package wallet

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/gin-gonic/gin"

	"regain/presentation"
	"regain/presentation/dcql"
	"regain/provider/binding"
	"regain/provider/protocol"
	"regain/provider/web"
	"regain/recovery"
)

// requestObject serves the request object (OpenID4VP 1.0 §5.10). It may be fetched again until it is answered, by GET and
// by POST; only a POST can carry a wallet_nonce, which goes into the signature.
func (e *Endpoints) requestObject(c *gin.Context) error {
	var form url.Values
	if c.Request.Method == http.MethodPost {
		var err error
		if form, err = readForm(c); err != nil {
			return err
		}
	}
	open, err := e.request(c, recovery.Handle(c.Param("handle")), recovery.WalletFetched)
	if err != nil {
		return err
	}
	binding.Note(c, open.Transaction)
	d := e.diagnose(c, open.Channel)
	p, err := e.protocol(open.Channel)
	if err != nil {
		return err
	}
	if p.InLink() || open.Channel.Flow == recovery.FlowBrowser { // it is handed over another way, and perhaps not signed
		return recovery.ErrNoTransaction
	}
	e.noteQuery(d, open, p)
	object, err := p.Object(open.Request(), form, e.deps.Clock())
	if err := d.Step("served", err); err != nil {
		return err
	}
	c.Data(http.StatusOK, object.ContentType, object.Body)
	return nil
}

// errNoOpenRequest: the wallet is not asked in this channel, or no longer.
var errNoOpenRequest = fmt.Errorf("no request is open in this channel: %w", web.ErrNotNow)

// RequestURL is what the link or the QR code of a channel says.
func (e *Endpoints) RequestURL(ctx context.Context, t recovery.Transaction, channel recovery.Channel) (string, error) {
	handle := t.HandleOf(channel)
	if handle == "" {
		return "", errNoOpenRequest
	}
	p, err := e.protocol(channel)
	if err != nil {
		return "", err
	}
	var request []byte
	if p.InLink() {
		open, err := e.request(ctx, handle, recovery.LinkShown)
		if err != nil {
			return "", err
		}
		request = open.Request()
	}
	return p.Link(e.endpoints(handle), request, e.deps.Clock())
}

// request returns the presentation request behind a handle, which can be answered: built and attached at its first
// occasion, and again when it has expired, or the page of a person who comes back to it would be of no more use.
func (e *Endpoints) request(ctx context.Context, handle recovery.Handle, occasion recovery.Occasion) (recovery.OpenRequest, error) {
	return recovery.RetryOnConflict(func() (recovery.OpenRequest, error) {
		open, err := e.deps.Recovery.Find(ctx, handle)
		if err != nil {
			return open, err
		}
		if open.Answered() {
			return open, recovery.ErrAnswered
		}
		p, err := e.protocol(open.Channel)
		if err != nil {
			return open, err
		}
		occasion := occasion
		if open.Request() != nil {
			expired, err := p.Expired(open.Request(), e.deps.Clock())
			if err != nil || !expired {
				return open, err
			}
			occasion = recovery.RequestExpired
		}
		request, err := e.build(ctx, p, open)
		if err != nil {
			return open, fmt.Errorf("build presentation request: %w", err)
		}
		return e.deps.Recovery.Attach(ctx, open, request, occasion)
	})
}

// build makes a presentation request: fresh nonce, state and key.
func (e *Endpoints) build(ctx context.Context, p protocol.Protocol, open recovery.OpenRequest) ([]byte, error) {
	params := protocol.RequestParams{Now: e.deps.Clock()}
	params.Lifetime = min(e.cfg.RequestLifetime, open.Transaction.ExpiresAt.Sub(params.Now))
	var err error
	if params.Query, err = e.rules.Query(open.Profile, p.Formats()); err != nil {
		return nil, err
	}
	if open.Channel.Flow == recovery.FlowBrowser {
		if params.Origin, err = web.Origin(e.cfg.Issuer); err != nil {
			return nil, err
		}
	} else {
		params.ResponseURI = e.endpoints(open.Handle()).Response
	}
	if e.asked.Load().wallets[open.Channel.Wallet].TransactionData {
		params.TransactionData = []presentation.TransactionData{presentation.NewTransactionData(
			open.Transaction.Requested.Mask(), e.deps.Organisation(ctx, open.Transaction.Client), verifiedIDs(params.Query)...)}
	}
	return p.New(params)
}

// verifiedIDs are the ids of every Verified ID that will do. Whichever the wallet chooses has to authorise the transaction,
// or an attacker would have their victim choose one that does not.
func verifiedIDs(q dcql.Query) (ids []string) {
	for _, c := range q.Credentials {
		if dcql.Role(c.ID) == dcql.VerifiedID {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

func (e *Endpoints) endpoints(handle recovery.Handle) protocol.Endpoints {
	base := e.cfg.Issuer + "/openid4vp/"
	return protocol.Endpoints{Request: base + "request/" + string(handle), Response: base + "response/" + string(handle)}
}

// checkChannels builds a request for every channel of every profile, as a trial: what a wallet cannot be asked is a mistake
// of the configuration, and stops the start, instead of a wallet's silence.
func (e *Endpoints) checkChannels() error {
	var problems []error
	for _, profile := range e.deps.Recovery.Profiles() {
		for _, channel := range profile.Channels {
			p, err := e.protocol(channel)
			if err == nil {
				if err := e.rules.Prepare(profile, p.Formats()); err != nil {
					problems = append(problems, err)
					continue
				}
				trial := recovery.Transaction{ID: "trial", ExpiresAt: e.deps.Clock().Add(time.Minute)}
				_, err = e.build(context.Background(), p, recovery.OpenRequest{Channel: channel, Profile: profile, Transaction: trial})
			}
			if err != nil {
				problems = append(problems, fmt.Errorf("profiles (%s): wallets (%s): %w", profile.Name, channel.Wallet, err))
			}
		}
	}
	return errors.Join(problems...)
}
