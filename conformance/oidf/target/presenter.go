package target

import (
	"context"
	"crypto/rand"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"sync"

	"regain/conformance/people"
	"regain/conformance/testenv"
	"regain/conformance/wallet"
	"regain/conformance/wallet/phone"
)

// presenter is the wallet's page for a browser that only presses buttons.
type presenter struct {
	mu     sync.Mutex // one journey at a time: a Face Check is of one request
	env    *testenv.Env
	wallet *wallet.Wallet
}

const presenterPage = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Wallet</title></head><body>
<h1>Share your Verified ID?</h1>
<form method="post" action="/present"><input type="hidden" name="link" value="{{.}}"><button id="present">Present</button></form>
<form method="post" action="/cancel"><input type="hidden" name="link" value="{{.}}"><button id="cancel">Cancel</button></form>
</body></html>`

// equip makes the wallet and has the proofing provider issue into it.
func (p *presenter) equip(ctx context.Context, w *testenv.Env, person people.Person) error {
	samples := phone.SamplePeople(rand.Reader)
	i := slices.IndexFunc(samples, func(s phone.Person) bool { return s.ID == person.ID })
	if i < 0 {
		return errors.New("the person has no phone")
	}
	holder, err := w.NewWallet(samples[i].Camera, w.Clock)
	if err != nil {
		return err
	}
	offer, err := w.Issuer.Offer(person.ID)
	if err != nil {
		return err
	}
	if _, err := holder.Accept(ctx, w.Wallet+"/offer?"+url.Values{"credential_offer_uri": {offer}}.Encode()); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.env, p.wallet = w, holder
	return nil
}

// Handler serves the page and its two buttons.
func (p *presenter) Handler() http.Handler {
	page := template.Must(template.New("presenter").Parse(presenterPage))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /authorize", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = page.Execute(w, r.URL.RawQuery) //nolint:errcheck // a browser that is gone needs no page
	})
	mux.HandleFunc("POST /present", p.answer(p.present))
	mux.HandleFunc("POST /cancel", p.answer(p.cancel))
	return mux
}

// answer does what the button says and sends the browser on.
func (p *presenter) answer(do func(ctx context.Context, r *wallet.Request) (string, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.wallet == nil {
			http.Error(w, "the wallet is still empty", http.StatusServiceUnavailable)
			return
		}
		request, err := p.wallet.Review(r.Context(), p.env.Wallet+"/authorize?"+r.PostFormValue("link"))
		if err == nil {
			var next string
			if next, err = do(r.Context(), request); err == nil && next != "" {
				http.Redirect(w, r, next, http.StatusSeeOther)
				return
			}
		}
		http.Error(w, "the wallet could not answer: "+errors.Join(err).Error(), http.StatusBadGateway)
	}
}

func (p *presenter) present(ctx context.Context, r *wallet.Request) (string, error) {
	source := r.FaceCheckFor()
	if source == "" {
		return "", errors.New("the request asks for no Face Check")
	}
	if err := p.wallet.FaceCheck(ctx, source); err != nil {
		return "", err
	}
	return p.wallet.Share(ctx, r, wallet.ShareOptions{})
}

func (p *presenter) cancel(ctx context.Context, r *wallet.Request) (string, error) {
	return p.wallet.Decline(ctx, r)
}
