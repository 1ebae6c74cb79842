package offer

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
)

// GrantType is the OAuth grant of the pre-authorized code flow (OpenID4VCI 1.0 §3.5).
const GrantType = "urn:ietf:params:oauth:grant-type:pre-authorized_code"

// Link is a credential offer on its way to a wallet.
type Link struct {
	URL  string // where the wallet fetches it
	JSON string // the offer itself
}

// ByReference is the link that opens a wallet with the offer's URL (OpenID4VCI 1.0 §4.1.3).
func (l Link) ByReference(wallet string) string {
	return wallet + "?" + url.Values{"credential_offer_uri": {l.URL}}.Encode()
}

// ByValue is the link that opens a wallet with the offer itself (OpenID4VCI 1.0 §4.1.2).
func (l Link) ByValue(wallet string) string {
	return wallet + "?" + url.Values{"credential_offer": {l.JSON}}.Encode()
}

// Link writes an offer for a wallet.
func (b *Book) Link(o *Offer) (Link, error) {
	text, err := json.Marshal(b.object(o))
	if err != nil {
		return Link{}, fmt.Errorf("writing an offer: %w", err)
	}
	return Link{URL: b.url(o), JSON: string(text)}, nil
}

// WalletLink opens the wallet of the people's page with the offer.
func (b *Book) WalletLink(o *Offer) string {
	return Link{URL: b.url(o)}.ByReference(b.config.WalletEndpoint)
}

func (b *Book) url(o *Offer) string { return b.config.BaseURL + "/offers/" + o.ID }

// object is the Credential Offer (OpenID4VCI 1.0 §4.1.1). What it reads of the offer never changes.
func (b *Book) object(o *Offer) map[string]any {
	grant := map[string]any{"pre-authorized_code": o.code}
	if o.TxCode != "" {
		mode := "text"
		if strings.Trim(o.TxCode, "0123456789") == "" {
			mode = "numeric"
		}
		grant["tx_code"] = map[string]any{
			"input_mode": mode, "length": len(o.TxCode), "description": "The code that " + b.config.Name + " shows you.",
		}
	}
	return map[string]any{
		"credential_issuer":            b.config.BaseURL,
		"credential_configuration_ids": o.Configurations,
		"grants":                       map[string]any{GrantType: grant},
	}
}
