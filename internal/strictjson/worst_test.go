package strictjson_test

import (
	"fmt"
	"strings"
	"testing"

	"regain/internal/costtest"
	"regain/internal/strictjson"
)

// longest is the longest JSON that a stranger can have parsed: a form of 512 KiB.
const longest = 512 << 10

// members is an object with as many members as there is room for.
func members(value string) string {
	var b strings.Builder
	b.WriteString("{")
	for i := 0; b.Len() < longest-len(value)-10; i++ {
		fmt.Fprintf(&b, `"%x":%s,`, i, value)
	}
	return b.String() + `"":0}`
}

// many is an array with as many elements as there is room for.
func many(element string) string {
	return "[" + strings.Repeat(element+",", longest/(len(element)+1)-1) + element + "]"
}

// Whatever JSON a stranger sends, to parse it costs little.
func TestWorst(t *testing.T) {
	for name, text := range map[string]string{
		"numbers": many("0"), "arrays": many("[]"), "objects": many("{}"), "objects with a member": many(`{"":0}`), "empty strings": many(`""`), "short strings": many(`"a"`),
		"members": members("0"), "members that are objects": members("{}"), "a long string": `"` + strings.Repeat("x", longest-2) + `"`, "escapes": `"` + strings.Repeat(`\u0041`, longest/6-1) + `"`,
		"a long number": strings.Repeat("9", longest), "a number with an exponent": "1e" + strings.Repeat("9", longest-2), "white space": strings.Repeat(" ", longest-1) + "0",
		"depth": strings.Repeat("[", longest), "depth of objects": strings.Repeat(`{"":`, longest/4), "literals": many("null"), "a name twice at the end": strings.TrimSuffix(members("0"), "}") + `,"":0}`,
	} {
		costtest.Check(t, name, func() { _, _ = strictjson.Parse([]byte(text), 16) })
	}
}
