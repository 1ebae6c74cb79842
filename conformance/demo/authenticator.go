package demo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"

	"regain/conformance/proofing"
	"regain/conformance/testenv"
	"regain/conformance/wallet/authenticator"
	"regain/conformance/wallet/phone"
)

// recoveredWithAuthenticator is a recovery with a wallet like Microsoft Authenticator, in a test environment of its own: it asks no
// other wallets, and has TLS whatever the others have, since a did:web is looked up over https.
func recoveredWithAuthenticator(ctx context.Context, k *walker) (err error) {
	e := k.beside
	e.TLS, e.Change = true, testenv.AskAuthenticators
	w, err := testenv.Start(e)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	there := newWalker(w, k.clock, k.beside)
	app, err := there.authenticator(ctx, "ada.lindqvist")
	if err != nil {
		return err
	}
	page, err := there.start(ctx, ada)
	if err != nil {
		return err
	}
	if page, err = there.ask(ctx, page); err != nil {
		return err
	}
	link, _ := page.Link("open-wallet")
	request, err := app.Review(ctx, link)
	if err != nil {
		return err
	}
	if err := app.FaceCheck(ctx, request.FaceCheckFor()); err != nil {
		return err
	}
	next, err := app.Share(ctx, request, authenticator.ShareOptions{})
	if err != nil {
		return err
	}
	if page, err = there.browser.Open(ctx, next); err != nil {
		return err
	}
	_, err = there.recovered(ctx, page)
	return err
}

// authenticator makes such a wallet, with the keys that Microsoft's makes and a Verified ID of a sample person. It
// answers no verifier whose domain does not vouch for it.
func (k *walker) authenticator(ctx context.Context, personID string) (*authenticator.Wallet, error) {
	for _, p := range phone.SamplePeople(rand.Reader) {
		if p.ID != personID {
			continue
		}
		app, err := authenticator.New(authenticator.Config{
			HTTPClient: k.env.Client, Clock: k.watch, Random: rand.Reader, Logger: slog.New(slog.DiscardHandler), Camera: p.Camera,
			Issuers: []string{k.env.Issuer.DID()}, StrictDomains: true,
		})
		if err != nil {
			return nil, err
		}
		issued, err := k.env.Issuer.IssueVC(personID, app.DID())
		if err != nil {
			return nil, err
		}
		_, err = app.Import(ctx, issued.Credential, authenticator.Source{
			Name: proofing.IdentityType, Issuer: k.env.Proofing, FaceCheckURL: k.env.Proofing + "/face-check", NonceURL: k.env.Proofing + "/nonce",
		})
		return app, err
	}
	return nil, fmt.Errorf("no sample person is called %s", personID)
}
