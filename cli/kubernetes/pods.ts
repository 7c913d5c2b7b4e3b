import { head, type Manifest, type Settings } from './manifest.ts';

/** A pod with this label is scraped. */
const SELECTED = { key: 'o11y-kit', value: 'enabled' };

/** Finds the pods to scrape, in every namespace. */
export function podMonitor(settings: Settings): Manifest {
  return {
    file: 'podmonitor.yaml',
    text: `${head('PodMonitor', 'monitoring.coreos.com/v1', 'o11y-kit', settings)}
spec:
  # Pods with this label in any namespace; their port must be named metrics.
  namespaceSelector:
    any: true
  selector:
    matchLabels:
      ${SELECTED.key}: ${SELECTED.value}
  podMetricsEndpoints:
    - port: metrics
      path: /metrics
      interval: 15s
      scrapeTimeout: 10s
      relabelings:
        # job is what the dashboards and rules call a service: service.namespace/service.name. The operator would take
        # the name of this monitor.
        - action: replace
          sourceLabels: [__meta_kubernetes_namespace, __meta_kubernetes_pod_label_app_kubernetes_io_name]
          separator: /
          regex: (.+/.+)
          targetLabel: job
          replacement: $1
  # What a faulty app may do to Prometheus has a bound: a scrape beyond it fails, and the target is shown as down.
  sampleLimit: 50000
`,
  };
}

/** The parts of a Deployment that concern the kit, in one that is whole. */
export function deployment(settings: Settings): Manifest {
  return {
    file: 'deployment.example.yaml',
    example: true,
    text: `# An example to take over into your own Deployment: what matters here are labels, env, ports, probes and the end.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: my-service
  labels:
    app.kubernetes.io/name: my-service
spec:
  replicas: 2
  selector:
    matchLabels:
      app.kubernetes.io/name: my-service
  template:
    metadata:
      labels:
        # The service's name: in metrics by the PodMonitor, in traces and logs by OTEL_SERVICE_NAME below.
        app.kubernetes.io/name: my-service
        app.kubernetes.io/version: 1.0.0
        # The PodMonitor looks for this one.
        ${SELECTED.key}: ${SELECTED.value}
    spec:
      # preStop (5 s) + the app's own draining + what the kit may take to deliver the last telemetry (5 s).
      terminationGracePeriodSeconds: 45
      containers:
        - name: my-service
          # The image has o11y-kit among its dependencies.
          image: registry.example.com/my-service:1.0.0
          env:
            - name: NODE_OPTIONS
              value: --import o11y-kit/preload
            - name: OTEL_EXPORTER_OTLP_ENDPOINT
              value: http://otel-collector.${settings.namespace}:4318
            - name: OTEL_SERVICE_NAME
              valueFrom:
                fieldRef:
                  fieldPath: metadata.labels['app.kubernetes.io/name']
            - name: SERVICE_VERSION
              valueFrom:
                fieldRef:
                  fieldPath: metadata.labels['app.kubernetes.io/version']
            - name: POD_NAMESPACE
              valueFrom:
                fieldRef:
                  fieldPath: metadata.namespace
            - name: POD_NAME
              valueFrom:
                fieldRef:
                  fieldPath: metadata.name
            - name: NODE_NAME
              valueFrom:
                fieldRef:
                  fieldPath: spec.nodeName
            # It refers to the variables above, so it stands below them.
            - name: OTEL_RESOURCE_ATTRIBUTES
              value: service.namespace=$(POD_NAMESPACE),service.version=$(SERVICE_VERSION),deployment.environment.name=production,k8s.namespace.name=$(POD_NAMESPACE),k8s.pod.name=$(POD_NAME),k8s.node.name=$(NODE_NAME)
          ports:
            - name: http
              containerPort: 3000
            # /metrics and /health; not for a Service or an Ingress.
            - name: metrics
              containerPort: 9464
          # 60 s to start in; then the other two take over.
          startupProbe:
            httpGet:
              path: /health/live
              port: metrics
            periodSeconds: 2
            failureThreshold: 30
          # Restarts a process whose event loop has stopped for half a minute, and for nothing else: a broken dependency is
          # no reason, as a restart does not mend it.
          livenessProbe:
            httpGet:
              path: /health/live
              port: metrics
            periodSeconds: 10
            timeoutSeconds: 2
            failureThreshold: 3
          # No traffic while it starts, drains, or misses what it cannot work without.
          readinessProbe:
            httpGet:
              path: /health/ready
              port: metrics
            periodSeconds: 5
            timeoutSeconds: 2
            failureThreshold: 2
          lifecycle:
            preStop:
              # Until load balancers have heard that the pod is going. Kubernetes below 1.30: exec: {command: [sleep, "5"]}
              sleep:
                seconds: 5
`,
  };
}
