import { useCallback, useEffect, useState } from 'react';

/** What `load` resolves to, or why it did not; `act` replaces it by what an action resolves to. */
export function useLoaded<Data>(load: () => Promise<Data>) {
  const [data, setData] = useState<Data>();
  const [problem, setProblem] = useState('');
  const act = useCallback(async (action: () => Promise<Data>): Promise<boolean> => {
    setProblem('');
    try {
      setData(await action());
      return true;
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
      return false;
    }
  }, []);
  useEffect(() => void act(load), []);
  return { data, problem, act };
}
