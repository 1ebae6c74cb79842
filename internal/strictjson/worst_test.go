package strictjson_test

import (
	"testing"

	"regain/internal/costtest"
	"regain/internal/strictjson"
)

// Whatever JSON a stranger sends, to parse it costs little. 512 KiB are the longest that anybody can have parsed.
func TestWorst(t *testing.T) {
	for name, text := range costtest.JSON(512<<10, strictjson.MaxValues-1) {
		costtest.Check(t, name, func() { _, _ = strictjson.Parse([]byte(text), 16) })
	}
}
