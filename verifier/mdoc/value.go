package mdoc

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strconv"

	"github.com/fxamacker/cbor/v2"

	"regain/verifier/internal/jws"
)

// value converts a data element to JSON (RFC 8949 §6.1), so that DCQL paths select from an mdoc as from any other
// credential: integers and floats become json.Number, byte strings base64url, and a tag its content. A tdate (tag 0)
// and a full-date (tag 1004) become the text that the issuer wrote.
func (r reader) value(raw []byte) (any, error) {
	major, argument, rest, ok := head(raw)
	if !ok {
		return nil, fmt.Errorf("%w: an element's value is not CBOR", ErrMalformed)
	}
	switch major {
	case majorUint:
		return json.Number(strconv.FormatUint(argument, 10)), nil
	case majorNegInt:
		n := new(big.Int).SetUint64(argument)
		return json.Number(n.Not(n).String()), nil // -1 - argument
	case majorBytes:
		return jws.Encode(rest), nil
	case majorText:
		var t text
		err := r.open("an element's value", majorText, raw, &t)
		return string(t), err
	case majorArray:
		return r.list(raw)
	case majorMap:
		return r.object(raw)
	case majorTag:
		return r.tagged(argument, rest)
	}
	return r.special(raw)
}

func (r reader) list(raw []byte) (any, error) {
	var items []cbor.RawMessage
	if err := r.open("an element's array", majorArray, raw, &items); err != nil {
		return nil, err
	}
	out := make([]any, len(items))
	for i, item := range items {
		var err error
		if out[i], err = r.value(item); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// object converts a map. Its keys must be text: any other key would have to be converted, and two keys could become
// equal.
func (r reader) object(raw []byte) (any, error) {
	var items map[string]cbor.RawMessage
	if err := r.open("an element's map", majorMap, raw, &items); err != nil {
		return nil, err
	}
	out := make(map[string]any, len(items))
	for name, item := range items {
		var err error
		if out[name], err = r.value(item); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// tagged returns a tag's content. A bignum becomes base64url, a negative one with "~" in front (RFC 8949 §6.1).
func (r reader) tagged(number uint64, content []byte) (any, error) {
	value, err := r.value(content)
	if digits, ok := value.(string); ok && number == tagNegBignum {
		return "~" + digits, err
	}
	return value, err
}

// special converts a boolean, null or float. A value that JSON does not have becomes null (RFC 8949 §6.1).
func (r reader) special(raw []byte) (any, error) {
	const no, yes, half = 20, 21, 25
	switch info := raw[0] & 0x1f; {
	case info == no, info == yes:
		return info == yes, nil
	case info < half:
		return nil, nil
	}
	var float float64
	if err := r.open("an element's value", majorSpecial, raw, &float); err != nil {
		return nil, err
	}
	if math.IsNaN(float) || math.IsInf(float, 0) {
		return nil, nil
	}
	return json.Number(strconv.FormatFloat(float, 'g', -1, 64)), nil
}
