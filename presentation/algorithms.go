package presentation

import (
	"encoding/json"

	"regain/presentation/dcql"
)

// JWTVCAlgorithms are the JWS algorithms of JWT VCs and their presentations that package verifier verifies. Presentations
// and credentials of the other formats are ES256 alone (HAIP 1.0 §7). ES256K comes first: the wallets of 2022 look for it.
func JWTVCAlgorithms() []string { return []string{"ES256K", "ES256", "EdDSA"} }

// algorithmList is a list of algorithms that a verifier's or a wallet's metadata may have: JWS names, or numbers of COSE.
type algorithmList struct {
	name string
	jose []string
	cose []json.Number
}

// algorithmLists is what package verifier verifies, in the words of each format (OpenID4VP 1.0 Appendix B.1.3.1.3, B.2.2,
// B.3.4). COSE's ES256 is registered twice: the second number says the curve too.
func algorithmLists(format string) []algorithmList {
	switch es256 := []string{"ES256"}; format {
	case dcql.FormatSDJWT:
		return []algorithmList{{name: "sd-jwt_alg_values", jose: es256}, {name: "kb-jwt_alg_values", jose: es256}}
	case dcql.FormatMdoc:
		numbers := []json.Number{"-7", "-9"}
		return []algorithmList{{name: "issuerauth_alg_values", cose: numbers}, {name: "deviceauth_alg_values", cose: numbers}}
	case dcql.FormatJWTVC:
		return []algorithmList{{name: "alg_values", jose: JWTVCAlgorithms()}}
	}
	return nil
}

// algorithmsOf writes the lists of a format as a JSON object.
func algorithmsOf(format string) []byte {
	const size = 80
	o := newObject(size)
	for _, list := range algorithmLists(format) {
		if list.jose != nil {
			o.value(list.name, list.jose)
		} else {
			o.value(list.name, list.cose)
		}
	}
	written, _ := o.close() // constants only
	return written
}

// checkAlgorithms refuses a wallet whose lists have nothing of ours.
func (m metadata) checkAlgorithms(format string) error {
	for _, list := range algorithmLists(format) {
		err := wants(m, list.name, list.jose...)
		if list.jose == nil {
			err = wants(m, list.name, list.cose...)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
