package status_test

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"regain/internal/costtest"
	"regain/internal/strictjson"
	"regain/verifier/status"
	"regain/verifier/verifiertest"
)

// The worst lists that a host can serve, of up to 2 MiB: to parse one, which anybody's host can cause that a trusted
// issuer named, and to decompress one, which its issuer has signed.
func TestWorst(t *testing.T) {
	key := verifiertest.NewKey(t)
	list := func(payload string) string {
		return verifiertest.SignRaw(t, key, []byte(`{"alg":"ES256","typ":"statuslist+jwt"}`), []byte(payload))
	}
	for name, value := range costtest.JSON(1<<20, strictjson.MaxValues-16) {
		for _, payload := range []string{value, `{"iat":1,"x":` + value + "}", `{"iat":1,"status_list":{"bits":1,"lst":` + value + "}}"} {
			text := list(payload)
			costtest.Check(t, name, func() { _, _, _ = status.Parse(text) })
		}
	}
	noise := make([]byte, 1<<20)
	for i := range noise {
		noise[i] = byte(rand.Uint32())
	}
	for name, content := range map[string][]byte{"zeros": make([]byte, 4<<20), "too many zeros": make([]byte, 64<<20), "noise": noise, "runs": bytes.Repeat(append(make([]byte, 63), 1), 64<<10)} {
		_, parsed, err := status.Parse(list(fmt.Sprintf(`{"iat":1,"status_list":{"bits":1,"lst":%q}}`, verifiertest.Encode(deflate(t, content)))))
		if err != nil {
			t.Fatal(err)
		}
		costtest.Check(t, "decompress: "+name, func() { _, _ = parsed.Inflate() })
	}
}

func deflate(t *testing.T, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	_, err := w.Write(content)
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
