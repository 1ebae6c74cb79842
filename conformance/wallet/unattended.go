package wallet

import (
	"encoding/json"
	"errors"
	"net/http"
)

// OfferHandler takes up every offer that somebody brings, without a person: GET with the query of an
// offer's link (OpenID4VCI 1.0 §4.1). It is for programs that play the person, such as the runner of
// a conformance suite. code is what such a person types where an offer asks for a transaction code.
//
// It answers 200 with {"credential", "type"}, neither of which says whose it is; an issuer's refusal
// with 502, and everything else that is wrong with the offer with 400.
func (w *Wallet) OfferHandler(code string) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		c, err := w.takeUp(r, code)
		rw.Header().Set("Content-Type", "application/json")
		rw.Header().Set("Cache-Control", "no-store")
		if err == nil {
			_ = json.NewEncoder(rw).Encode(map[string]string{"credential": c.ID, "type": c.Type})
			return
		}
		w.cfg.Logger.WarnContext(r.Context(), "offer not taken up", "error", err)
		status := http.StatusBadRequest
		if refused := new(ResponseError); errors.As(err, &refused) {
			status = http.StatusBadGateway
		}
		rw.WriteHeader(status)
		_ = json.NewEncoder(rw).Encode(map[string]string{"error": err.Error()})
	})
}

func (w *Wallet) takeUp(r *http.Request, code string) (Credential, error) {
	offer, err := w.ReadOffer(r.Context(), "?"+r.URL.RawQuery)
	if err != nil {
		return Credential{}, err
	}
	if offer.TxCode == nil {
		code = ""
	}
	return w.AddWithCode(r.Context(), offer, code)
}
