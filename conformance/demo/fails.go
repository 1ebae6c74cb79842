package demo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"regain/conformance/browser"
	"regain/conformance/wallet"
)

// denied walks a person's honest presentation for an account that must be denied.
func denied(ctx context.Context, k *walker, personID, account, reason string) error {
	if err := k.equip(ctx, personID); err != nil {
		return err
	}
	page, err := k.decided(ctx, account)
	if err != nil {
		return err
	}
	return k.denied(ctx, page, reason)
}

func nameMismatchDenied(ctx context.Context, k *walker) error {
	return denied(ctx, k, "jon.bell", jon, "account_mismatch")
}

func faceCheckTooLowDenied(ctx context.Context, k *walker) error {
	return denied(ctx, k, "priya.raman", priya, "face_check_too_low")
}

func revokedCredentialDenied(ctx context.Context, k *walker) error {
	return denied(ctx, k, "lena.fischer", lena, "credential_revoked")
}

func excludedAccountDenied(ctx context.Context, k *walker) error {
	return denied(ctx, k, "grace.okafor", grace, "account_excluded")
}

// untrustedIssuerDenied presents a Verified ID from a provider that Regain does not know.
func untrustedIssuerDenied(ctx context.Context, k *walker) error {
	if err := k.carry("ada.lindqvist"); err != nil {
		return err
	}
	if _, err := k.add(ctx, k.env.Rogue, "ada.lindqvist"); err != nil {
		return err
	}
	page, err := k.decided(ctx, ada)
	if err != nil {
		return err
	}
	return k.denied(ctx, page, "credential_untrusted")
}

// receiptOfAnotherCredentialDenied presents the Face Check of a second Verified ID of the same person.
func receiptOfAnotherCredentialDenied(ctx context.Context, k *walker) error {
	if err := k.equip(ctx, "ada.lindqvist"); err != nil {
		return err
	}
	other, err := k.add(ctx, k.env.Issuer, "ada.lindqvist")
	if err != nil {
		return err
	}
	request, err := k.toWallet(ctx, ada)
	if err != nil {
		return err
	}
	if request.FaceCheckFor() == other.ID {
		other = k.wallet.Credentials()[0]
	}
	if err := k.wallet.FaceCheck(ctx, other.ID); err != nil {
		return err
	}
	receipts := k.wallet.Receipts(other.ID)
	if len(receipts) == 0 {
		return errors.New("the wallet has no receipt for the other Verified ID")
	}
	page, err := k.share(ctx, request, wallet.Tamper{Receipt: receipts[len(receipts)-1].ID})
	if err != nil {
		return err
	}
	return k.denied(ctx, page, "face_check_unbound")
}

func wrongNonceRefused(ctx context.Context, k *walker) error {
	return refusedThenRecovered(ctx, k, wallet.Tamper{Nonce: "another-nonce"})
}

func wrongAudienceRefused(ctx context.Context, k *walker) error {
	return refusedThenRecovered(ctx, k, wallet.Tamper{Audience: "x509_hash:another-verifier"})
}

// refusedThenRecovered sends an answer that must be refused, and then an honest one that must not have been spoiled.
func refusedThenRecovered(ctx context.Context, k *walker, tamper wallet.Tamper) error {
	if err := k.equip(ctx, "ada.lindqvist"); err != nil {
		return err
	}
	request, err := k.toWallet(ctx, ada)
	if err != nil {
		return err
	}
	for _, only := range []string{"verified_id", "face_check", ""} {
		tamper.Only = only
		_, err := k.wallet.Share(ctx, request, wallet.ShareOptions{Tamper: tamper})
		if err := wantRefusal(err); err != nil {
			return fmt.Errorf("broken in %q: %w", only, err)
		}
	}
	page, err := k.share(ctx, request, wallet.Tamper{})
	if err != nil {
		return fmt.Errorf("after the refusal: %w", err)
	}
	_, err = k.recovered(ctx, page)
	return err
}

// unknownAccountLooksLikeMismatch compares every page of two journeys with the same wallet: one for an account that
// does not exist, one for an account of somebody else.
func unknownAccountLooksLikeMismatch(ctx context.Context, k *walker) error {
	if err := k.equip(ctx, "jon.bell"); err != nil {
		return err
	}
	var looks [2][]string
	for i, account := range []string{"jane.doe@example.org", jon} {
		pages, err := k.pagesOf(ctx, account)
		if err != nil {
			return fmt.Errorf("%s: %w", account, err)
		}
		looks[i] = pages
	}
	for i := range looks[0] {
		if looks[0][i] != looks[1][i] {
			return fmt.Errorf("page %d differs:\n%s\nfor a mismatch:\n%s", i+1, looks[0][i], looks[1][i])
		}
	}
	return nil
}

func (k *walker) pagesOf(ctx context.Context, account string) ([]string, error) {
	var looks []string
	look := func(page *browser.Page) {
		text := page.Text()
		if reference, ok := page.ByID("reference"); ok {
			text = strings.ReplaceAll(text, reference, "REFERENCE")
		}
		if link, ok := page.ByID("qr-text"); ok {
			text = strings.ReplaceAll(text, link, "LINK")
		}
		looks = append(looks, fmt.Sprintf("%d %s: %s; %s", page.Status, page.Title, text, strings.Join(headerNames(page.Header), " ")))
	}
	first, err := k.start(ctx, account)
	if err != nil {
		return nil, err
	}
	look(first)
	second, err := k.ask(ctx, first)
	if err != nil {
		return nil, err
	}
	look(second)
	request, err := k.review(ctx, second)
	if err != nil {
		return nil, err
	}
	third, err := k.share(ctx, request, wallet.Tamper{})
	if err != nil {
		return nil, err
	}
	look(third)
	if err := want(third, "denied"); err != nil {
		return nil, err
	}
	_, err = k.finish(ctx, third)
	return append(looks, err.Error()), nil
}

func headerNames(h http.Header) []string {
	var names []string
	for _, name := range []string{"Content-Type", "Content-Security-Policy", "Cache-Control", "Set-Cookie"} {
		names = append(names, fmt.Sprint(name, len(h.Values(name))))
	}
	return names
}

// responseReplayRefused sends the wallet's answer a second time, letter for letter.
func responseReplayRefused(ctx context.Context, k *walker) error {
	if err := k.equip(ctx, "ada.lindqvist"); err != nil {
		return err
	}
	request, err := k.toWallet(ctx, ada)
	if err != nil {
		return err
	}
	next, err := k.wallet.Share(ctx, request, wallet.ShareOptions{})
	if err != nil {
		return err
	}
	_, err = k.wallet.Share(ctx, request, wallet.ShareOptions{Tamper: wallet.Tamper{ReplayLast: true}})
	if err := wantRefusal(err); err != nil {
		return err
	}
	page, err := k.browser.Open(ctx, next)
	if err != nil {
		return err
	}
	_, err = k.recovered(ctx, page)
	return err
}

func codeReplayRefused(ctx context.Context, k *walker) error {
	code, err := k.code(ctx)
	if err != nil {
		return err
	}
	if _, err := k.redeemed(ctx, code); err != nil {
		return err
	}
	_, err = k.party.Redeem(ctx, k.attempt, code)
	return wantInvalidGrant(err)
}

// otherBrowserRefused opens the wallet's redirect in a browser that did not start: it sees nothing, and the recovery
// is over.
func otherBrowserRefused(ctx context.Context, k *walker) error {
	page, err := k.asked(ctx, "ada.lindqvist", ada)
	if err != nil {
		return err
	}
	request, err := k.review(ctx, page)
	if err != nil {
		return err
	}
	next, err := k.wallet.Share(ctx, request, wallet.ShareOptions{})
	if err != nil {
		return err
	}
	shown, err := newBrowser(k.env).Open(ctx, next)
	if err != nil {
		return err
	}
	if shown.Status != http.StatusForbidden || shown.Has("finish") {
		return fmt.Errorf("the other browser got status %d: %s", shown.Status, shown.Text())
	}
	if page, err = k.browser.Open(ctx, next); err != nil {
		return err
	}
	return k.refused(ctx, page, "cancelled")
}

// expiredRefused lets the transaction's life pass between the wallet's request and its answer. The wallet's own watch
// has stopped, else it would not answer.
func expiredRefused(ctx context.Context, k *walker) error {
	stopped := k.clock.now()
	k.watch = func() time.Time { return stopped.Add(10 * time.Second) }
	page, err := k.asked(ctx, "ada.lindqvist", ada)
	if err != nil {
		return err
	}
	request, err := k.review(ctx, page)
	if err != nil {
		return err
	}
	k.clock.forward(16 * time.Minute)
	_, err = k.wallet.Share(ctx, request, wallet.ShareOptions{})
	var refusal *wallet.ResponseError
	if !errors.As(err, &refusal) {
		return fmt.Errorf("the late answer was not refused: %w", err)
	}
	if page, err = k.browser.Follow(ctx, page.URL.String()); err != nil {
		return err
	}
	return k.refused(ctx, page, "expired")
}

func userDeclined(ctx context.Context, k *walker) error {
	if err := k.equip(ctx, "ada.lindqvist"); err != nil {
		return err
	}
	request, err := k.toWallet(ctx, ada)
	if err != nil {
		return err
	}
	next, err := k.wallet.Decline(ctx, request)
	if err != nil {
		return err
	}
	page, err := k.browser.Open(ctx, next)
	if err != nil {
		return err
	}
	if err := want(page, "wallet-error"); err != nil {
		return err
	}
	if page, err = k.press(ctx, page, "cancel"); err != nil {
		return err
	}
	return k.refused(ctx, page, "cancelled")
}
