package demo

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"regain/conformance/browser"
	"regain/conformance/idp/visitor"
	"regain/conformance/people"
	"regain/conformance/rp"
	"regain/conformance/wallet"
)

const (
	ada    = "ada.lindqvist@example.org"
	maria  = "maria.garcia@example.org"
	tomasz = "tomasz.nowak@example.org"
	jon    = "jon.bell@example.org"
	priya  = "priya.raman@example.org"
	grace  = "grace.okafor@example.org"
	lena   = "lena.fischer@example.org"
)

// recoveredSameDevice is the journey by the proofing provider, everything on one device.
func recoveredSameDevice(ctx context.Context, k *walker) error {
	if err := k.carry("ada.lindqvist"); err != nil {
		return err
	}
	page, err := k.start(ctx, ada)
	if err != nil {
		return err
	}
	if page, err = k.prove(ctx, page, "ada.lindqvist"); err != nil {
		return err
	}
	recovery, err := k.recovered(ctx, page)
	if err != nil {
		return err
	}
	if recovery.Recovery.Flow != "same_device" || recovery.Recovery.Profile != "employees" {
		return fmt.Errorf("recovered by %s under profile %s", recovery.Recovery.Flow, recovery.Recovery.Profile)
	}
	return nil
}

// prove goes from Regain's first page by the proofing provider to the page that tells the decision.
func (k *walker) prove(ctx context.Context, page *browser.Page, personID string) (*browser.Page, error) {
	page, err := k.throughProofing(ctx, page, personID)
	if err != nil {
		return nil, err
	}
	if page, err = k.ask(ctx, page); err != nil {
		return nil, err
	}
	request, err := k.review(ctx, page)
	if err != nil {
		return nil, err
	}
	return k.share(ctx, request, wallet.Tamper{})
}

// throughProofing goes to the proofing provider, shows a document and a face, adds the Verified ID, and comes back.
func (k *walker) throughProofing(ctx context.Context, page *browser.Page, personID string) (*browser.Page, error) {
	for _, button := range []string{"get-verified-id", "agree", "person-" + personID, "confirm", "take-selfie"} {
		var err error
		if page, err = k.press(ctx, page, button); err != nil {
			return nil, err
		}
	}
	link, ok := page.Link("wallet-link")
	if !ok {
		return nil, fmt.Errorf("page %q has no link to the wallet: %s", page.Title, page.Text())
	}
	if _, err := k.wallet.Accept(ctx, link); err != nil {
		return nil, err
	}
	page, err := k.browser.Follow(ctx, page.URL.String())
	if err != nil {
		return nil, err
	}
	if page, err = k.press(ctx, page, "return"); err != nil {
		return nil, err
	}
	return page, want(page, "have-verified-id")
}

// recoveredCrossDevice scans the QR code, and types the six digits that the wallet's own browser shows.
func recoveredCrossDevice(ctx context.Context, k *walker) error {
	page, err := k.asked(ctx, "ada.lindqvist", ada)
	if err != nil {
		return err
	}
	code, ok := page.ByID("qr-text")
	if !ok {
		return errors.New("the presentation page has no QR code")
	}
	request, err := k.wallet.Scan(ctx, code)
	if err != nil {
		return err
	}
	if err := k.faceCheck(ctx, request); err != nil {
		return err
	}
	next, err := k.wallet.Share(ctx, request, wallet.ShareOptions{})
	if err != nil {
		return err
	}
	digits, err := k.readDigits(ctx, next)
	if err != nil {
		return err
	}
	if page, err = k.confirm(ctx, page, digits); err != nil {
		return err
	}
	recovery, err := k.recovered(ctx, page)
	if err == nil && recovery.Recovery.Flow != "cross_device" {
		err = fmt.Errorf("the token says %s", recovery.Recovery.Flow)
	}
	return err
}

// readDigits opens the wallet's redirect on the phone, whose browser is another one.
func (k *walker) readDigits(ctx context.Context, next string) (string, error) {
	shown, err := newBrowser(k.env).Open(ctx, next)
	if err != nil {
		return "", err
	}
	digits, ok := shown.ByID("digits")
	if !ok {
		return "", fmt.Errorf("the phone shows no digits: %s", shown.Text())
	}
	return digits, nil
}

// confirm types wrong digits, which must be told, and then the right ones.
func (k *walker) confirm(ctx context.Context, page *browser.Page, digits string) (*browser.Page, error) {
	page, err := k.browser.Follow(ctx, page.URL.String())
	if err != nil {
		return nil, err
	}
	wrong := "000 000"
	if digits == wrong {
		wrong = "000 001"
	}
	for _, typed := range []string{wrong, digits} {
		form, ok := page.Form("confirm")
		if !ok {
			return nil, fmt.Errorf("page %q asks for no digits: %s", page.Title, page.Text())
		}
		if page, err = k.browser.Submit(ctx, form, map[string][]string{"code": {typed}}); err != nil {
			return nil, err
		}
	}
	return page, nil
}

// signedInWithPasskey is all nineteen steps, from the main IdP's sign-in page to a passkey that signs in.
func signedInWithPasskey(ctx context.Context, k *walker) error {
	if err := k.carry("ada.lindqvist"); err != nil {
		return err
	}
	person, err := visitor.New(k.browser, k.env.IdP)
	if err != nil {
		return err
	}
	page, err := person.Recover(ctx, ada)
	if err != nil {
		return err
	}
	if page, err = k.prove(ctx, page, "ada.lindqvist"); err != nil {
		return err
	}
	if page, err = k.press(ctx, page, "finish"); err != nil {
		return err
	}
	if _, err = person.SignInWithPass(ctx, page); err != nil {
		return err
	}
	if _, err = person.CreatePasskey(ctx); err != nil {
		return err
	}
	_, err = person.SignInWithPasskey(ctx)
	return err
}

func relaxedMatchRecovered(ctx context.Context, k *walker) error {
	if err := k.equip(ctx, "maria.garcia"); err != nil {
		return err
	}
	page, err := k.decided(ctx, maria)
	if err != nil {
		return err
	}
	recovery, err := k.recovered(ctx, page)
	if err == nil && recovery.Recovery.Profile != "contractors" {
		err = fmt.Errorf("recovered under profile %s", recovery.Recovery.Profile)
	}
	return err
}

// recoveredByID is a recovery for a relying party that knows people by the directory's id: each token has it as `sub`,
// whether the request named the account by it or by its name.
func recoveredByID(ctx context.Context, k *walker) error {
	person, _ := people.Find("ada.lindqvist")
	if err := k.equip(ctx, person.ID); err != nil {
		return err
	}
	k.party, k.subject = k.env.ByID, person.AccountID
	for _, requested := range []string{person.AccountID, person.Account} {
		page, err := k.decided(ctx, requested)
		if err != nil {
			return err
		}
		if _, err := k.recovered(ctx, page); err != nil {
			return fmt.Errorf("named as %s: %w", requested, err)
		}
	}
	return nil
}

func evaluatedNoPass(ctx context.Context, k *walker) error {
	if err := k.equip(ctx, "tomasz.nowak"); err != nil {
		return err
	}
	page, err := k.decided(ctx, tomasz)
	if err != nil {
		return err
	}
	return k.refused(ctx, page, "evaluated")
}

// sixtyFourRedeemersOnePass redeems one code sixty-four times at once.
func sixtyFourRedeemersOnePass(ctx context.Context, k *walker) error {
	code, err := k.code(ctx)
	if err != nil {
		return err
	}
	const redeemers = 64
	won := make(chan rp.Tokens, redeemers)
	lost := make(chan error, redeemers)
	var wg sync.WaitGroup
	for range redeemers {
		wg.Go(func() {
			if tokens, err := k.party.Redeem(ctx, k.attempt, code); err != nil {
				lost <- err
			} else {
				won <- tokens
			}
		})
	}
	wg.Wait()
	close(lost)
	for err := range lost {
		if err := wantInvalidGrant(err); err != nil {
			return err
		}
	}
	if len(won) != 1 {
		return fmt.Errorf("%d of %d redeemers got a pass", len(won), redeemers)
	}
	_, err = k.party.Check(ctx, k.attempt, k.account, <-won)
	return err
}

func wantInvalidGrant(err error) error {
	var problem *rp.Error
	if errors.As(err, &problem) && problem.Code == "invalid_grant" {
		return nil
	}
	return fmt.Errorf("want invalid_grant, got: %w", err)
}
