package mdoc

import (
	"encoding/base64"
	"fmt"
	"math/big"
	"strconv"

	"github.com/fxamacker/cbor/v2"
	"github.com/go-jose/go-jose/v4/json"
)

// Claims returns the elements by namespace and name as JSON, as RFC 8949 §6.1 advises: byte
// strings as base64url, tagged dates as their text, numbers as json.Number of go-jose. A value
// that JSON cannot say is left out; it is presented all the same when it is asked for by name.
func (d Document) Claims() map[string]any {
	claims := map[string]any{}
	for _, space := range d.spaces {
		elements := map[string]any{}
		for _, i := range d.items[space] {
			var v any
			if err := decode(i.Value, &v); err != nil {
				continue
			}
			elements[i.Name] = plain(v)
		}
		claims[space] = elements
	}
	return claims
}

func plain(v any) any {
	switch v := v.(type) {
	case []byte:
		return base64.RawURLEncoding.EncodeToString(v)
	case uint64:
		return json.Number(strconv.FormatUint(v, 10))
	case int64:
		return json.Number(strconv.FormatInt(v, 10))
	case big.Int:
		return json.Number(v.String())
	case float32:
		return json.Number(strconv.FormatFloat(float64(v), 'g', -1, 32))
	case float64:
		return json.Number(strconv.FormatFloat(v, 'g', -1, 64))
	case []any:
		list := make([]any, 0, len(v))
		for _, e := range v {
			list = append(list, plain(e))
		}
		return list
	case map[any]any:
		object := make(map[string]any, len(v))
		for name, e := range v {
			object[fmt.Sprint(name)] = plain(e)
		}
		return object
	case cbor.Tag:
		return plain(v.Content)
	}
	return v // text, booleans, null; simple values compare equal to nothing
}
