package load

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func written(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "earlier.jsonl")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func lineOfReport(t *testing.T, r Report) string {
	t.Helper()
	line, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(line) + "\n"
}

func TestCompareIsWithTheLastRunOfTheSameConfiguration(t *testing.T) {
	four := Setup{Store: "memory", Workers: 4}
	other := Setup{Store: "memory", Workers: 4, TLS: true}
	file := written(t, lineOfReport(t, Report{Setup: four, CPUMillis: 100})+
		lineOfReport(t, Report{Setup: four, CPUMillis: 4, P50Millis: 10, Recoveries: 5})+"\n"+
		`{"compared_with":"x","store":"memory","workers":4,"ratios":{"cpu_ms_per_recovery":7}}`+"\n"+
		lineOfReport(t, Report{Setup: other, CPUMillis: 50}))
	past, err := readEarlier(file, []Setup{four})
	if err != nil {
		t.Fatal(err)
	}
	c, err := past.compare(Report{Setup: four, CPUMillis: 3, P50Millis: 20, P99Millis: 1, Recoveries: 50})
	if err != nil {
		t.Fatal(err)
	}
	line, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	// What was zero has no ratio, and how long a run took is no figure.
	want := `{"compared_with":"` + file + `","store":"memory","workers":4,"tls":false,"waiting":0,"ratios":{"cpu_ms_per_recovery":0.75,"p50_ms":2}}`
	if string(line) != want {
		t.Errorf("the comparison is %s, want %s", line, want)
	}
	if c, err = past.compare(Report{Setup: Setup{Store: "file", Workers: 4}, CPUMillis: 3}); err != nil || c.Ratios != nil {
		t.Errorf("a configuration that was not measured has the ratios %v, %v, want none", c.Ratios, err)
	}
}

func TestCompareSaysWhatIsWrongWithTheFile(t *testing.T) {
	good := lineOfReport(t, Report{Setup: Setup{Store: "memory", Workers: 4}, CPUMillis: 4})
	for says, text := range map[string]string{
		"line 2: invalid character":              good + "no JSON",
		"line 1: it has no store and workers":    `{"recoveries":3,"cpu_ms_per_recovery":4}`,
		"line 1: json: cannot unmarshal":         `{"store":1,"workers":4}`,
		"has more than 1048576 bytes":            strings.Repeat("\n", maxEarlier+1),
		"(--store file --workers 16 --waiting 3": lineOfReport(t, Report{Setup: Setup{Store: "file", Workers: 16, Waiting: 3}}),
	} {
		_, err := readEarlier(written(t, text), []Setup{{Store: "memory", Workers: 4}})
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("it says %v, want %q in it", err, says)
		}
	}
	if _, err := readEarlier(written(t, good), []Setup{{Store: "memory", Workers: 4}}); err != nil {
		t.Errorf("a file that has the configuration is refused: %v", err)
	}
}
