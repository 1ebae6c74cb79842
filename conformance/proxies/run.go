package proxies

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"regain/conformance/testenv"
)

// nginx prepares nginx in the foreground, with everything that it writes in a directory of its own.
func (p *proxy) nginx(text string, at place) error {
	plain, err := freePort()
	if err != nil {
		return err
	}
	issuer, mutual := "server_name recover.example.org;\n    ssl_certificate ", "server_name mtls.recover.example.org;\n    ssl_certificate "
	both := "listen 443 ssl http2;\n    listen [::]:443 ssl http2;\n    "
	text, err = replaceAll(text, append(at.upstreams(), [][2]string{
		{both + issuer, fmt.Sprintf("listen 127.0.0.1:%d ssl http2;\n    ", at.port) + issuer},
		{both + mutual, fmt.Sprintf("listen 127.0.0.1:%d ssl http2;\n    ", at.mutual) + mutual},
		{"listen 80;\n    listen [::]:80;", fmt.Sprintf("listen 127.0.0.1:%d;", plain)},
		{"server_name recover.example.org;", "server_name " + at.name + ";"}, {"server_name mtls.recover.example.org;", "server_name " + at.name + ";"},
		{"/etc/ssl/recover.example.org.crt", at.certificate}, {"/etc/ssl/private/recover.example.org.key", at.key},
		{"/var/log/nginx/", p.directory + "/"},
	}...))
	if err != nil {
		return err
	}
	site, main := filepath.Join(p.directory, "regain.conf"), filepath.Join(p.directory, "nginx.conf")
	user := ""
	if os.Geteuid() == 0 {
		user = "user root;\n" // the directory is this user's alone
	}
	around := user + "daemon off;\nworker_processes 1;\npid nginx.pid;\nerror_log stderr warn;\nevents {}\nhttp {\n"
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		around += fmt.Sprintf("%[1]s_temp_path %[1]s;\n", kind)
	}
	around += "include " + site + ";\n}\n"
	for path, content := range map[string]string{site: text, main: around} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			return err
		}
	}
	p.cmd = exec.CommandContext(context.Background(), "nginx", "-p", p.directory, "-e", "stderr", "-c", main)
	return nil
}

// caddy prepares Caddy without its administration port and its own redirects from port 80.
func (p *proxy) caddy(text string, at place) error {
	text, err := replaceAll(text, append(at.upstreams(), [][2]string{
		{"{\n\tservers {", "{\n\tadmin off\n\tauto_https disable_redirects\n\tdefault_bind 127.0.0.1\n\tservers {"},
		{"\nrecover.example.org {", fmt.Sprintf("\nhttps://%s:%d {", at.name, at.port)},
		{"\nmtls.recover.example.org {", fmt.Sprintf("\nhttps://%s:%d {", at.name, at.mutual)},
		{"/etc/ssl/recover.example.org.crt", at.certificate}, {"/etc/ssl/private/recover.example.org.key", at.key},
		{"/readyz", testenv.Ready},
	}...))
	if err != nil {
		return err
	}
	file := filepath.Join(p.directory, "Caddyfile")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return err
	}
	p.cmd = exec.CommandContext(context.Background(), "caddy", "run", "--config", file, "--adapter", "caddyfile")
	p.cmd.Env = append(os.Environ(), "HOME="+p.directory, "XDG_DATA_HOME="+p.directory, "XDG_CONFIG_HOME="+p.directory)
	return nil
}
