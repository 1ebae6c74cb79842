package presentation

import (
	"encoding/json"

	"regain/presentation/dcql"
)

// JWTVCAlgorithms returns the JWS algorithms that package verifier supports for JWT VCs and their presentations. The
// other formats use ES256 only (HAIP 1.0 §7). ES256K comes first because wallets of the JWT VC Presentation Profile
// look for it.
func JWTVCAlgorithms() []string { return []string{"ES256K", "ES256", "EdDSA"} }

// algorithmList is an algorithm list in the metadata of a verifier or wallet: JWS names, or COSE numbers.
type algorithmList struct {
	name string
	jose []string
	cose []json.Number
}

// algorithmLists returns the algorithms that package verifier supports for a format, under the names that the format
// gives the lists (OpenID4VP 1.0 Appendix B.1.3.1.3, B.2.2, B.3.4). In COSE, -7 is ES256 and -9 its fully specified
// form ESP256, which includes the curve.
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
	written, _ := o.close() // encoding constants cannot fail
	return written
}

// checkAlgorithms returns ErrUnsupportedWallet if a list of the wallet has none of our algorithms.
func (m metadata) checkAlgorithms(format string) error {
	for _, list := range algorithmLists(format) {
		err := requireAny(m, list.name, list.jose...)
		if list.jose == nil {
			err = requireAny(m, list.name, list.cose...)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
