package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"regain/internal/config"
)

type sample struct {
	Issuer  string `koanf:"issuer"`
	Storage struct {
		Backend string        `koanf:"backend"`
		Keep    time.Duration `koanf:"keep"`
	} `koanf:"storage"`
	Profiles []struct {
		Name      string   `koanf:"name"`
		Threshold int      `koanf:"threshold"`
		Groups    []string `koanf:"groups"`
	} `koanf:"profiles"`
	Secret config.Secret `koanf:"secret"`
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "regain.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFlagsBeatEnvironmentBeatsFileBeatsDefaults(t *testing.T) {
	flags := pflag.NewFlagSet("t", pflag.ContinueOnError)
	flags.String("issuer", "", "")
	if err := flags.Parse([]string{"--issuer=https://flag.example"}); err != nil {
		t.Fatal(err)
	}
	var got sample
	got.Storage.Keep = time.Hour
	err := config.Load(config.Source{
		File: write(t, "issuer: https://file.example\nstorage: {backend: bolt}\nprofiles: [{name: a, threshold: 70, groups: [x, y]}]\n"),
		Environ: func() []string {
			return []string{"REGAIN_STORAGE__BACKEND=memory", "REGAIN_ISSUER=https://env.example", "PATH=/"}
		},
		Flags: flags, FlagKey: func(name string) string { return name },
	}, &got)
	if err != nil {
		t.Fatal(err)
	}
	if got.Issuer != "https://flag.example" || got.Storage.Backend != "memory" || got.Storage.Keep != time.Hour ||
		len(got.Profiles) != 1 || got.Profiles[0].Threshold != 70 || len(got.Profiles[0].Groups) != 2 {
		t.Errorf("got %+v", got)
	}
}

func TestMistakesNameTheKeyAndTheCure(t *testing.T) {
	for name, tc := range map[string]struct{ file, want string }{
		"unknown key with a neighbour": {"isuer: https://x\n", "unknown key isuer: did you mean issuer?"},
		"unknown nested key":           {"storage: {backendd: bolt}\n", "unknown key storage.backendd: did you mean storage.backend?"},
		"unknown key in a list":        {"profiles: [{nam: a}]\n", "did you mean profiles[].name?"},
		"key like nothing":             {"colour_of_the_sky: blue\n", "see docs/configuration.md"},
		"other case":                   {"Issuer: https://x\n", "did you mean issuer?"},
		"not YAML":                     {"issuer: [\n", "read configuration"},
		"wrong type":                   {"profiles: [{name: a, threshold: many}]\n", "threshold"},
		"bad duration":                 {"storage: {keep: soon}\n", "storage.keep"},
	} {
		t.Run(name, func(t *testing.T) {
			var got sample
			err := config.Load(config.Source{File: write(t, tc.file)}, &got)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want one that says %q", err, tc.want)
			}
		})
	}
	t.Run("unknown variable", func(t *testing.T) {
		var got sample
		err := config.Load(config.Source{Environ: func() []string { return []string{"REGAIN_ISSUE=x"} }}, &got)
		if err == nil || !strings.Contains(err.Error(), "did you mean issuer?") {
			t.Errorf("error %v", err)
		}
	})
}

func TestSecretComesFromFileOrVariableNeverInline(t *testing.T) {
	path := write(t, " s3cret\n")
	if got, err := (config.Secret{File: path}).Read("token_secret"); err != nil || got != "s3cret" {
		t.Errorf("file: %q, %v", got, err)
	}
	t.Setenv("TEST_SECRET", "other")
	if got, err := (config.Secret{Env: "TEST_SECRET"}).Read("token_secret"); err != nil || got != "other" {
		t.Errorf("env: %q, %v", got, err)
	}
	for name, s := range map[string]config.Secret{
		"none": {}, "both": {File: path, Env: "TEST_SECRET"}, "no such file": {File: path + "x"}, "empty variable": {Env: "TEST_SECRET_UNSET"},
	} {
		if _, err := s.Read("token_secret"); err == nil || !strings.Contains(err.Error(), "token_secret") {
			t.Errorf("%s: error %v does not name the key", name, err)
		}
	}
	var got sample
	if err := config.Load(config.Source{File: write(t, "secret: inline-value\n")}, &got); err == nil {
		t.Error("an inline secret was accepted")
	} else if strings.Contains(err.Error(), "inline-value") {
		t.Errorf("the error repeats the secret: %v", err)
	}
}

// What is left without a value is a mistake, wherever it stands: as if it were not there it would be the default, which for
// an exclusion or a switch is the open one.
func TestAKeyWithoutAValueIsAMistake(t *testing.T) {
	type everything struct {
		Groups  []string `koanf:"groups"`
		Enabled *bool    `koanf:"enabled"`
		Same    bool     `koanf:"same"`
		Max     int      `koanf:"max"`
		Section struct {
			Score float64 `koanf:"score"`
			Text  string  `koanf:"text"`
		} `koanf:"section"`
		Items []struct {
			Enabled *bool    `koanf:"enabled"`
			Groups  []string `koanf:"groups"`
		} `koanf:"items"`
	}
	load := func(file string, variables ...string) (everything, error) {
		var got everything
		err := config.Load(config.Source{File: write(t, file), Environ: func() []string { return variables }}, &got)
		return got, err
	}
	const good = "groups: [executives]\nenabled: false\nsame: true\nmax: 1\nsection: {score: 1, text: \"\"}\nitems: [{enabled: false, groups: []}]\n"
	if got, err := load(good); err != nil || len(got.Groups) != 1 || *got.Enabled || !got.Same {
		t.Fatalf("with values: %+v, %v", got, err)
	}
	for _, row := range []struct{ from, to, key string }{
		{"groups: [executives]", "groups:", "groups has no value"},
		{"groups: [executives]", "groups:\n  # - executives", "groups has no value"},
		{"groups: [executives]", "groups: [executives, ~]", "groups[1] has no value"},
		{"groups: [executives]", "groups: ''", "groups: is empty"},
		{"\nenabled: false", "\nenabled:", "enabled has no value"},
		{"\nenabled: false", "\nenabled: null", "enabled has no value"},
		{"\nenabled: false", "\nenabled: ''", "enabled: is empty"},
		{"same: true", "same: ''", "same: is empty"},
		{"max: 1", "max: ''", "max: is empty"},
		{"section: {score: 1, text: \"\"}", "section:", "section has no value"},
		{"score: 1", "score: ''", "section.score: is empty"},
		{"{enabled: false,", "{enabled: ,", "items[0].enabled has no value"},
		{"{enabled: false,", "{enabled: '',", "items[0].enabled: is empty"},
		{"groups: []}", "groups: ~}", "items[0].groups has no value"},
	} {
		if _, err := load(strings.Replace(good, row.from, row.to, 1)); err == nil || !strings.Contains(err.Error(), "configuration: "+row.key) {
			t.Errorf("%q: got %v, want it to say %q", row.to, err, row.key)
		}
	}
	for _, name := range []string{"GROUPS", "ENABLED", "SAME", "MAX", "SECTION__SCORE"} {
		if _, err := load(good, "REGAIN_"+name+"="); err == nil || !strings.Contains(err.Error(), "is empty") {
			t.Errorf("an empty variable %s: %v", name, err)
		}
	}
	if got, err := load(good, "REGAIN_GROUPS=leavers,executives", "REGAIN_SECTION__TEXT="); err != nil || len(got.Groups) != 2 {
		t.Errorf("variables with values, and a text that may be empty: %+v, %v", got, err)
	}
	if got, err := load(good, "REGAIN_GROUPS=[]"); err != nil || len(got.Groups) != 0 { // as the mistake tells to write it
		t.Errorf("a variable with an empty list: %+v, %v", got, err)
	}
}

// The variable of a secret may be named like those that override keys, as docs/configuration.md does it.
func TestAVariableOfASecretOverridesNothing(t *testing.T) {
	type list struct {
		Secret config.Secret `koanf:"secret"`
		Items  []struct {
			Secret config.Secret `koanf:"secret"`
		} `koanf:"items"`
	}
	file := write(t, "secret: {env: REGAIN_PASS_KEY}\nitems: [{secret: {env: REGAIN_BROKER_SECRET}}]\n")
	environ := func() []string {
		return []string{"REGAIN_PASS_KEY=x", "REGAIN_BROKER_SECRET=y", "REGAIN_SECRET__ENV=OTHER"}
	}
	var got list
	if err := config.Load(config.Source{File: file, Environ: environ}, &got); err != nil || got.Secret.Env != "OTHER" || got.Items[0].Secret.Env != "REGAIN_BROKER_SECRET" {
		t.Errorf("%+v, %v", got, err)
	}
	environ = func() []string { return []string{"REGAIN_PASSKEY=x"} }
	if err := config.Load(config.Source{File: file, Environ: environ}, &got); err == nil || !strings.Contains(err.Error(), "unknown key passkey") || strings.Contains(err.Error(), "=x") {
		t.Errorf("a variable that nothing names: %v", err)
	}
}

// Every secret and every file that a configuration names is found, wherever a struct has it.
func TestReferences(t *testing.T) {
	type inner struct {
		Key  config.Secret `koanf:"key"`
		File string        `koanf:"roots_file"`
		Path string        `koanf:"path"`
	}
	cfg := struct {
		File  string  `koanf:"file"`
		TLS   string  `koanf:"key_file"`
		None  string  `koanf:"other_file"`
		Inner inner   `koanf:"inner"`
		List  []inner `koanf:"list"`
		Apart *inner  `koanf:"apart"`
		Left  *inner  `koanf:"left"`
		Hid   inner
	}{
		File: "a", TLS: "b", Inner: inner{Key: config.Secret{File: "c"}, Path: "no"}, List: []inner{{}, {Key: config.Secret{Env: "E"}, File: "d"}},
		Apart: &inner{File: "e"}, Hid: inner{File: "f"},
	}
	var got []string
	for _, r := range config.References(cfg) {
		got = append(got, fmt.Sprint(r.Key, " ", r.Path, r.Secret.Env, " ", r.Private))
	}
	want := []string{"file a false", "key_file b true", "inner.key c true", "list[1].key E true", "list[1].roots_file d false", "apart.roots_file e false"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}
