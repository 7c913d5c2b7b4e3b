const { default: app } = await import(`./${process.env.APP}.cjs`);

export default app;
