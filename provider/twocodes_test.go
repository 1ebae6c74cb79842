package provider_test

import (
	"context"
	"sync"
	"testing"

	"regain/conformance/testenv"
)

// While the client redeems a code, the person presses Continue again and again, and the client redeems those codes as
// well: however they race there is one pass, and in the end there is one.
func TestCodesRacedAtTheTokenEndpoint(t *testing.T) {
	f := setUpEnv(t, testenv.Options{Namesakes: 8})
	for i := range 8 {
		page := f.press(t, f.start(t, testenv.Namesake(i)), "have-verified-id")
		next, err := f.browser.Open(t.Context(), f.share(t, f.review(t, page)))
		approved := f.must(t, next, err)
		form, _ := approved.Form("finish")
		var mu sync.Mutex
		var codes []string
		press := func(ctx context.Context) {
			back, err := f.browser.Submit(ctx, form, nil)
			if err != nil || back.URL.Host != "program.localhost" {
				return // it lost every time; the page has the button
			}
			if code, err := f.RP.Code(f.attempt, back.URL.String()); err == nil {
				mu.Lock()
				codes = append(codes, code)
				mu.Unlock()
			}
		}
		passes := 0
		redeem := func(ctx context.Context, code string) {
			if tokens, err := f.RP.Redeem(ctx, f.attempt, code); err == nil && tokens.RecoveryToken != "" {
				mu.Lock()
				passes++
				mu.Unlock()
			}
		}
		press(t.Context())
		var group sync.WaitGroup
		group.Go(func() { // one browser, which presses once more before the answer is there
			for range 4 {
				press(t.Context())
			}
		})
		for range 4 {
			group.Go(func() {
				mu.Lock()
				code := codes[len(codes)-1]
				mu.Unlock()
				redeem(t.Context(), code)
			})
		}
		group.Wait()
		for _, code := range codes {
			for range 2 {
				group.Go(func() { redeem(t.Context(), code) })
			}
		}
		group.Wait()
		if passes != 1 {
			t.Errorf("%d codes gave %d passes", len(codes), passes)
		}
	}
}
