import { startServices } from '../../examples/checkout/demo/service.ts';
import { runTraffic } from '../../examples/checkout/demo/traffic.ts';

/** The example's three services, preloaded and reporting to a viewer; `send` waits until all requests are answered. */
export async function startCheckout(viewerUrl: string) {
  const services = await startServices(
    {
      ...process.env,
      OTEL_EXPORTER_OTLP_ENDPOINT: viewerUrl,
      // In a container the kit announces the container's address; the viewer reads loopback only.
    },
    1,
  );
  const gateway = services.find(({ name }) => name === 'gateway')!.url;
  return {
    gateway,
    async send(count: number): Promise<void> {
      await runTraffic({ gateway, rate: 20, count, signal: AbortSignal.timeout(60_000), onSent: () => {} });
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(services.map((service) => service.stop()));
    },
  };
}
