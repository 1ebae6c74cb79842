package demo

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"regain/conformance/browser"
	"regain/conformance/proofing"
	"regain/conformance/rp"
	"regain/conformance/testenv"
	"regain/conformance/wallet"
	"regain/conformance/wallet/phone"
)

// walker is a person at a browser with a wallet, and the relying party that they come from.
type walker struct {
	env     *testenv.Env
	clock   *shiftedClock
	beside  testenv.Options // of a test environment that a walk needs beside this one
	browser *browser.Browser
	wallet  *wallet.Wallet

	watch func() time.Time // the wallet's clock

	party   *rp.RP
	subject string // whom the tokens must be about; "" for the account as the relying party named it
	account string
	attempt rp.Attempt
}

func newWalker(w *testenv.Env, clock *shiftedClock, beside testenv.Options) *walker {
	return &walker{env: w, clock: clock, beside: beside, watch: clock.now, browser: newBrowser(w), party: w.RP}
}

// newBrowser opens a browser that stops at the relying party's redirect URI, where a program reads the answer.
func newBrowser(w *testenv.Env) *browser.Browser {
	return browser.New(browser.Config{HTTPClient: w.Client, Clock: w.Clock, StopAt: func(u *url.URL) bool {
		return u.Scheme+"://"+u.Host+u.Path == testenv.ProgramRedirect
	}})
}

// carry gives the walker a wallet with the camera of a sample person.
func (k *walker) carry(personID string) error {
	for _, p := range phone.SamplePeople(rand.Reader) {
		if p.ID == personID {
			var err error
			k.wallet, err = k.env.NewWallet(p.Camera, k.watch)
			return err
		}
	}
	return fmt.Errorf("no sample person is called %s", personID)
}

// add puts a Verified ID of a person, from an issuer, into the wallet.
func (k *walker) add(ctx context.Context, issuer *proofing.Server, personID string) (wallet.Credential, error) {
	offer, err := issuer.Offer(personID)
	if err != nil {
		return wallet.Credential{}, err
	}
	return k.wallet.Accept(ctx, k.env.Wallet+"/offer?"+url.Values{"credential_offer_uri": {offer}}.Encode())
}

// equip is carry and add for a person with their own, honest Verified ID.
func (k *walker) equip(ctx context.Context, personID string) error {
	if err := k.carry(personID); err != nil {
		return err
	}
	_, err := k.add(ctx, k.env.Issuer, personID)
	return err
}

// start pushes a request that names the account and opens Regain's first page.
func (k *walker) start(ctx context.Context, account string) (*browser.Page, error) {
	var err error
	k.account = account
	if k.attempt, err = k.party.Start(ctx, account, nil); err != nil {
		return nil, err
	}
	page, err := k.browser.Open(ctx, k.attempt.AuthorizeURL)
	if err != nil {
		return nil, err
	}
	return page, want(page, "have-verified-id")
}

// ask presses "I have a Verified ID" and returns the presentation page.
func (k *walker) ask(ctx context.Context, page *browser.Page) (*browser.Page, error) {
	page, err := k.press(ctx, page, "have-verified-id")
	if err != nil {
		return nil, err
	}
	return page, want(page, "open-wallet")
}

// press submits the form of a button.
func (k *walker) press(ctx context.Context, page *browser.Page, id string) (*browser.Page, error) {
	form, ok := page.Form(id)
	if !ok {
		return nil, fmt.Errorf("page %q has no button %s: %s", page.Title, id, page.Text())
	}
	return k.browser.Submit(ctx, form, nil)
}

// review opens the request of the presentation page in the wallet, and takes the Face Check that it asks for.
func (k *walker) review(ctx context.Context, page *browser.Page) (*wallet.Request, error) {
	link, ok := page.Link("open-wallet")
	if !ok {
		return nil, fmt.Errorf("page %q has no link to the wallet", page.Title)
	}
	request, err := k.wallet.Review(ctx, link)
	if err != nil {
		return nil, err
	}
	return request, k.faceCheck(ctx, request)
}

func (k *walker) faceCheck(ctx context.Context, request *wallet.Request) error {
	source := request.FaceCheckFor()
	if source == "" {
		return fmt.Errorf("the request asks for no Face Check; missing in the wallet: %v", request.Missing)
	}
	return k.wallet.FaceCheck(ctx, source)
}

// asked is start and ask, by a person who is equipped.
func (k *walker) asked(ctx context.Context, personID, account string) (*browser.Page, error) {
	if err := k.equip(ctx, personID); err != nil {
		return nil, err
	}
	page, err := k.start(ctx, account)
	if err != nil {
		return nil, err
	}
	return k.ask(ctx, page)
}

// toWallet is start, ask and review.
func (k *walker) toWallet(ctx context.Context, account string) (*wallet.Request, error) {
	page, err := k.start(ctx, account)
	if err != nil {
		return nil, err
	}
	if page, err = k.ask(ctx, page); err != nil {
		return nil, err
	}
	return k.review(ctx, page)
}

// share answers, and opens in the browser where the wallet sends it.
func (k *walker) share(ctx context.Context, request *wallet.Request, tamper wallet.Tamper) (*browser.Page, error) {
	next, err := k.wallet.Share(ctx, request, wallet.ShareOptions{Tamper: tamper})
	if err != nil {
		return nil, err
	}
	return k.browser.Open(ctx, next)
}

// decided walks from the account's name to the page that tells the decision.
func (k *walker) decided(ctx context.Context, account string) (*browser.Page, error) {
	request, err := k.toWallet(ctx, account)
	if err != nil {
		return nil, err
	}
	return k.share(ctx, request, wallet.Tamper{})
}

// finish presses the last button and reads the code out of the URL that the browser is sent to.
func (k *walker) finish(ctx context.Context, page *browser.Page) (string, error) {
	back, err := k.press(ctx, page, "finish")
	if err != nil {
		return "", err
	}
	if back.Status != 0 {
		return "", fmt.Errorf("the browser ended at page %q instead of the relying party: %s", back.Title, back.Text())
	}
	return k.party.Code(k.attempt, back.URL.String())
}

// code is the whole way of Ada to the code that her relying party gets.
func (k *walker) code(ctx context.Context) (string, error) {
	if err := k.equip(ctx, "ada.lindqvist"); err != nil {
		return "", err
	}
	page, err := k.decided(ctx, ada)
	if err != nil {
		return "", err
	}
	return k.finish(ctx, page)
}

// redeemed redeems the code, checks both tokens, and uses the pass: once, and not twice.
func (k *walker) redeemed(ctx context.Context, code string) (rp.Recovery, error) {
	tokens, err := k.party.Redeem(ctx, k.attempt, code)
	if err != nil {
		return rp.Recovery{}, err
	}
	recovery, err := k.party.Check(ctx, k.attempt, cmp.Or(k.subject, k.account), tokens)
	if err != nil {
		return rp.Recovery{}, err
	}
	for _, active := range []bool{true, false} {
		verdict, err := k.party.VerifyPass(ctx, recovery.Subject, recovery.Recovery.Pass.Value)
		if err != nil {
			return rp.Recovery{}, err
		}
		if verdict.Active != active {
			return rp.Recovery{}, fmt.Errorf("the pass is active: %t, want %t", verdict.Active, active)
		}
		if active && verdict.TXN != recovery.Transaction {
			return rp.Recovery{}, errors.New("the pass is of another transaction")
		}
	}
	issued, err := k.lastRecord("pass_issuing")
	if err == nil && issued.Transaction != recovery.Transaction {
		err = errors.New("the audit log has no record of the pass")
	}
	return recovery, err
}

// recovered is what follows an approval.
func (k *walker) recovered(ctx context.Context, page *browser.Page) (rp.Recovery, error) {
	if err := want(page, "finish"); err != nil {
		return rp.Recovery{}, err
	}
	code, err := k.finish(ctx, page)
	if err != nil {
		return rp.Recovery{}, err
	}
	return k.redeemed(ctx, code)
}

// refused checks a page that ends a recovery, and that the relying party hears an error and gets no code.
func (k *walker) refused(ctx context.Context, page *browser.Page, id string) error {
	if err := want(page, id); err != nil {
		return err
	}
	code, err := k.finish(ctx, page)
	if !errors.Is(err, rp.ErrDenied) {
		return fmt.Errorf("the relying party got %w (code: %t), want access_denied", err, code != "")
	}
	return nil
}

// denied is refused for a denial, whose reason the audit log must name: a denial for another reason is no proof.
func (k *walker) denied(ctx context.Context, page *browser.Page, reason string) error {
	if err := k.refused(ctx, page, "denied"); err != nil {
		return err
	}
	last, err := k.lastRecord("recovery_denied")
	if err == nil && last.Reason != reason {
		err = fmt.Errorf("the audit log says %q, want %q", last.Reason, reason)
	}
	return err
}

// want reports a page that is not the one that it must be.
func want(page *browser.Page, id string) error {
	if page.Has(id) {
		return nil
	}
	return fmt.Errorf("status %d, page %q has no %s: %s", page.Status, page.Title, id, page.Text())
}

// wantRefusal reports an answer that the verifier should have refused with a 400.
func wantRefusal(err error) error {
	var refusal *wallet.ResponseError
	if errors.As(err, &refusal) && refusal.Status == http.StatusBadRequest {
		return nil
	}
	return fmt.Errorf("the verifier should have refused the answer with a 400, and said: %w", err)
}
