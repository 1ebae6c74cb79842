package proxies_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"regain/internal/config"
)

// The parts of the manifests that have to fit each other, by the names of the Kubernetes API. A key that is not here may be
// anything.
type manifest struct {
	Kind     string `yaml:"kind"`
	Metadata struct {
		Name        string            `yaml:"name"`
		Annotations map[string]string `yaml:"annotations"`
	} `yaml:"metadata"`
	Data map[string]string `yaml:"data"`
	Spec struct {
		Replicas        int    `yaml:"replicas"`
		SessionAffinity string `yaml:"sessionAffinity"`
		Template        struct {
			Spec struct {
				Grace      int `yaml:"terminationGracePeriodSeconds"`
				Containers []struct {
					Args  []string `yaml:"args"`
					Ports []struct {
						Name string `yaml:"name"`
						Port int    `yaml:"containerPort"`
					} `yaml:"ports"`
					Env []struct {
						Name string `yaml:"name"`
					} `yaml:"env"`
					Readiness probe `yaml:"readinessProbe"`
					Liveness  probe `yaml:"livenessProbe"`
					Lifecycle struct {
						PreStop struct {
							Sleep struct {
								Seconds int `yaml:"seconds"`
							} `yaml:"sleep"`
						} `yaml:"preStop"`
					} `yaml:"lifecycle"`
					Mounts []struct {
						Path string `yaml:"mountPath"`
					} `yaml:"volumeMounts"`
				} `yaml:"containers"`
			} `yaml:"spec"`
		} `yaml:"template"`
		Ports []struct {
			Port       int    `yaml:"port"`
			TargetPort string `yaml:"targetPort"`
		} `yaml:"ports"`
		TLS []struct {
			Hosts []string `yaml:"hosts"`
		} `yaml:"tls"`
		Rules []struct {
			Host string `yaml:"host"`
		} `yaml:"rules"`
	} `yaml:"spec"`
}

type probe struct {
	Get struct {
		Path string `yaml:"path"`
		Port string `yaml:"port"`
	} `yaml:"httpGet"`
}

func manifests(t *testing.T) map[string]manifest {
	t.Helper()
	text, err := os.ReadFile("../../deploy/kubernetes/regain.yaml")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]manifest{}
	for d := yaml.NewDecoder(bytes.NewReader(text)); ; {
		var m manifest
		err := d.Decode(&m)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, twice := all[m.Kind]; twice || m.Metadata.Name != "regain" {
			t.Errorf("%s is there twice, or is not called regain", m.Kind)
		}
		all[m.Kind] = m
	}
}

// configured is the configuration that the nodes of the manifest have.
func configured(t *testing.T, m manifest) config.Config {
	t.Helper()
	path := filepath.Join(t.TempDir(), "regain.yaml")
	if err := os.WriteFile(path, []byte(m.Data["regain.yaml"]), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := config.Defaults()
	if err := config.Load(config.Source{File: path}, &cfg); err != nil {
		t.Fatal(err)
	}
	return cfg
}

func TestTheManifestsFit(t *testing.T) {
	all := manifests(t)
	cfg := configured(t, all["ConfigMap"])
	pod, ingress, service := all["StatefulSet"].Spec.Template.Spec, all["Ingress"], all["Service"].Spec
	if len(pod.Containers) != 1 || len(service.Ports) != 1 || len(ingress.Spec.Rules) != 1 || len(ingress.Spec.TLS) != 1 {
		t.Fatal("the manifests have another number of parts")
	}
	node := pod.Containers[0]
	if all["StatefulSet"].Spec.Replicas != 3 || service.SessionAffinity != "" {
		t.Error("not three nodes without sticky sessions")
	}
	if cfg.Listen != ":8400" || node.Ports[0].Port != 8400 || node.Ports[0].Name != "http" || service.Ports[0].TargetPort != "http" {
		t.Errorf("the node listens at %s, and the service sends to %+v by %+v", cfg.Listen, node.Ports, service.Ports)
	}
	if host := ingress.Spec.Rules[0].Host; cfg.Issuer != "https://"+host || ingress.Spec.TLS[0].Hosts[0] != host {
		t.Errorf("the issuer is %s and the host %s", cfg.Issuer, host)
	}
	if ready, live := node.Readiness.Get, node.Liveness.Get; ready.Path != "/readyz" || live.Path != "/livez" || ready.Port != "http" || live.Port != "http" {
		t.Errorf("probes %v and %v", ready, live)
	}
	if cfg.Storage.Backend != "mongo" || node.Env[0].Name != "REGAIN_AUDIT__NODE" {
		t.Error("the nodes share no store, or their audit logs have one name")
	}
	if rest := pod.Grace - node.Lifecycle.PreStop.Sleep.Seconds; rest < 15 {
		t.Errorf("a node has %d seconds to stop, and takes up to ten", rest)
	}
	for _, file := range []string{cfg.Audit.File, cfg.Audit.Key.File, cfg.Secrets.Encryption.File, cfg.Storage.Mongo.URI.File, node.Args[2]} {
		mounted := false
		for _, m := range node.Mounts {
			mounted = mounted || m.Path == file || strings.HasPrefix(file, m.Path+"/")
		}
		if !mounted {
			t.Errorf("%s is on no volume", file)
		}
	}
}

// A live page is silent for two minutes, and a wallet's answer has half a megabyte.
func TestTheIngressWaitsLongEnough(t *testing.T) {
	notes := manifests(t)["Ingress"].Metadata.Annotations
	const prefix = "nginx.ingress.kubernetes.io/"
	if wait, err := time.ParseDuration(notes[prefix+"proxy-read-timeout"] + "s"); err != nil || wait < 130*time.Second {
		t.Errorf("proxy-read-timeout %s, %v", wait, err)
	}
	if notes[prefix+"proxy-body-size"] != "1m" || notes[prefix+"affinity"] != "" || strings.Contains(notes[prefix+"proxy-next-upstream"], "non_idempotent") {
		t.Errorf("%v", notes)
	}
}
