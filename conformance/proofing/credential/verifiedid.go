package credential

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"regain/conformance/jose"
	"regain/conformance/sdjwt"
)

// verifiedIDLife is how long a Verified ID lasts.
const verifiedIDLife = 180 * 24 * time.Hour

// decoys is the number of digests without a disclosure in each Verified ID (RFC 9901 §4.2.5).
const decoys = 2

// VerifiedID is the payload of a Verified ID: what is always open, and the digests of the rest.
type VerifiedID struct {
	Issuer  string       `json:"iss"`
	Type    string       `json:"vct"`
	ID      string       `json:"jti"`
	Issued  int64        `json:"iat"`
	Expires int64        `json:"exp"`
	Holder  Confirmation `json:"cnf"`
	Status  statusRef    `json:"status"`
	Hash    string       `json:"_sd_alg"`
	Digests []string     `json:"_sd"`
}

type statusRef struct {
	List struct {
		Index int    `json:"idx"`
		URI   string `json:"uri"`
	} `json:"status_list"`
}

func (i *Issuer) issueVerifiedID(file Dossier, holder jose.JWK, now time.Time) (Issued, error) {
	id, err := i.config.Random.UUID()
	if err != nil {
		return Issued{}, err
	}
	disclosures, digests, err := i.disclose(file)
	if err != nil {
		return Issued{}, err
	}
	entry, err := i.config.Status.Enroll(file.Person.Reported)
	if err != nil {
		return Issued{}, err
	}
	i.config.Status.Remember(id, entry)
	payload := VerifiedID{
		Issuer: i.config.BaseURL, Type: i.config.Type, ID: id, Issued: now.Unix(), Expires: now.Add(verifiedIDLife).Unix(),
		Holder: Confirm(holder), Hash: "sha-256", Digests: digests,
	}
	payload.Status.List.Index, payload.Status.List.URI = entry.Index, entry.URI
	signed, err := i.config.Signer.Sign("dc+sd-jwt", payload)
	if err != nil {
		return Issued{}, err
	}
	return Issued{JTI: id, Credential: signed + "~" + strings.Join(disclosures, "~") + "~"}, nil
}

// disclose writes one disclosure for each claim (RFC 9901 §4.2.1) and sorts the digests with some decoys among them,
// so that neither order nor number says anything.
func (i *Issuer) disclose(file Dossier) (disclosures, digests []string, err error) {
	for _, c := range file.claims() {
		salt, err := i.config.Random.Token(16)
		if err != nil {
			return nil, nil, err
		}
		plain, err := json.Marshal([]string{salt, c.name, c.value})
		if err != nil {
			return nil, nil, fmt.Errorf("writing a disclosure: %w", err)
		}
		disclosure := base64.RawURLEncoding.EncodeToString(plain)
		disclosures, digests = append(disclosures, disclosure), append(digests, sdjwt.Digest(disclosure))
	}
	for range decoys {
		var noise [32]byte
		if _, err := io.ReadFull(i.config.Random, noise[:]); err != nil {
			return nil, nil, fmt.Errorf("drawing a decoy: %w", err)
		}
		digests = append(digests, sdjwt.Digest(string(noise[:])))
	}
	slices.Sort(digests)
	return disclosures, digests, nil
}
